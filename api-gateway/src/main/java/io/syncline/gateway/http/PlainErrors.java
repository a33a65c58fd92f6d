package io.syncline.gateway.http;

import java.io.IOException;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/**
 * What a caller reads where Tomcat itself says no, because a request is none: the status in our form, and nothing of how we
 * are made. Named to Tomcat by its class, and made by it.
 */
public final class PlainErrors extends ErrorReportValve {

    private static final int ERRORS = 400;

    @Override
    protected void report(Request request, Response response, @Nullable Throwable throwable) {
        int status = response.getStatus();
        if (status < ERRORS || response.getContentWritten() > 0 || !response.setErrorReported()) {
            return;
        }
        try {
            HttpStatus known = HttpStatus.resolve(status);
            if (known == HttpStatus.NOT_IMPLEMENTED) {
                // A method that we do not have, CONNECT for instance: the caller's mistake, and no fault of ours.
                known = HttpStatus.METHOD_NOT_ALLOWED;
                response.setStatus(known.value());
            }
            FrontDoor.putHeaders(response);
            response.setContentType(Written.JSON);
            byte[] body = JsonBody.write(SyncApiErrors.plain(known == null ? HttpStatus.BAD_REQUEST : known));
            response.setContentLength(body.length);
            response.getOutputStream().write(body);
            response.finishResponse();
        } catch (IOException | IllegalStateException e) {
            // Whoever sent this has gone; there is nobody to tell.
        }
    }
}
