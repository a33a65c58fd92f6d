package io.syncline.worker.capture;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * The database whose tables are shared.
 *
 * @param url      {@code jdbc:postgresql://host:port/database}; absent: this worker captures nothing
 * @param username the role that reads it; it needs REPLICATION, CREATE on the database, and to own the tables (or to be a member
 *                 of the roles that do)
 */
@ConfigurationProperties("syncline.source")
public record SourceProperties(@Nullable String url, @Nullable String username, @Nullable String password) {

    @Override
    public String toString() {
        // What follows the question mark may be a password too.
        return "SourceProperties[url=" + (url == null ? null : url.replaceFirst("\\?.*", "")) + ", username=" + username
                + "]";
    }
}
