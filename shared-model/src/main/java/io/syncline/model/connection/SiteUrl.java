package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.net.URI;
import java.net.URISyntaxException;

/**
 * The address that names a site, compared as sent: {@code http://a} and {@code http://a/} are two sites.
 *
 * <p>A look-up takes any text ({@link #asSent}); a record is only made for an absolute http(s) URL of 255 characters at
 * most ({@link #ofRecord}).
 */
public record SiteUrl(@JsonValue String text) {

    /** The most characters a record's URL may have. */
    public static final int MAX_LENGTH = 255;

    /** The URL a peer names in a look-up: compared, never called. */
    @JsonCreator
    public static SiteUrl asSent(String text) {
        return new SiteUrl(text);
    }

    /** The URL of a new record; {@link IllegalArgumentException} says what is wrong with it. */
    public static SiteUrl ofRecord(String text) {
        if (text.length() > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "has " + text.length() + " characters, at most " + MAX_LENGTH + " are allowed");
        }
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("is not a URL");
        }
        String scheme = uri.getScheme();
        if (scheme == null || !(scheme.equalsIgnoreCase("http") || scheme.equalsIgnoreCase("https"))) {
            throw new IllegalArgumentException("is not an absolute http or https URL");
        }
        String authority = uri.getRawAuthority();
        if (authority == null || authority.isEmpty() || authority.startsWith(":")) {
            throw new IllegalArgumentException("has no host");
        }
        if (uri.getRawUserInfo() != null || authority.indexOf('@') >= 0) {
            throw new IllegalArgumentException("must not carry user information");
        }
        return new SiteUrl(text);
    }

    @Override
    public String toString() {
        return text;
    }
}
