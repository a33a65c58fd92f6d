package io.syncline.gateway.http;

import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.MultiValueMap;
import org.springframework.web.servlet.ModelAndView;
import org.springframework.web.servlet.function.ServerResponse;

/**
 * A response whose bytes are there already. Spring's own would ask its message converters who can write them, and for
 * which of the caller's media types.
 */
record Written(HttpStatus status, String contentType, byte[] body, Map<String, String> fields)
        implements ServerResponse {

    static final String JSON = "application/json; charset=utf-8";
    static final String LINES = "application/x-ndjson; charset=utf-8";

    @Override
    public HttpStatusCode statusCode() {
        return status;
    }

    @Override
    public HttpHeaders headers() {
        HttpHeaders headers = new HttpHeaders();
        fields.forEach(headers::set);
        return headers;
    }

    @Override
    public MultiValueMap<String, Cookie> cookies() {
        return new LinkedMultiValueMap<>();
    }

    @Override
    public @Nullable ModelAndView writeTo(HttpServletRequest request, HttpServletResponse response, Context context)
            throws IOException {
        writeTo(response, !request.getMethod().equals("HEAD"));
        return null;
    }

    /** For a filter, before any handler. */
    void writeTo(HttpServletResponse response) throws IOException {
        writeTo(response, true);
    }

    private void writeTo(HttpServletResponse response, boolean withBody) throws IOException {
        response.setStatus(status.value());
        fields.forEach(response::setHeader);
        if (status != HttpStatus.NO_CONTENT) {
            response.setContentType(contentType);
            response.setContentLength(body.length);
            if (withBody) {
                response.getOutputStream().write(body);
            }
        }
    }
}
