package io.syncline.standalone;

import io.syncline.model.credential.TokenHash;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done once for a site: enable it, and make a connection to try it with. Whoever is killed on the way does all
 * of it again, to the same effect.
 */
final class FirstStart {

    private static final String MARK = "first-start-done";

    private static final Logger LOG = LoggerFactory.getLogger(FirstStart.class);

    private final DataDirectory data;
    private final Operator operator;

    FirstStart(DataDirectory data, Operator operator) {
        this.data = data;
        this.operator = operator;
    }

    static boolean isDone(DataDirectory data) {
        return data.has(MARK);
    }

    /** Null when done, else why it must be tried again. */
    @Nullable
    String attempt() throws IOException {
        if (isDone(data)) {
            return null;
        }
        Operator.Answer enabled = operator.patch("/settings", Map.of("enabled", true));
        if (enabled.status() != 200) {
            return "enabling the module: " + enabled.explained();
        }
        // The file first: a connection whose token nobody has would be of no use to anyone.
        String token = token();
        Operator.Answer made = operator.post("/connections", Map.of("direction", "sender", "name", "Trying it out",
                "site_url", site(token), "auth_token", token, "status", "active", "notify", false));
        // 409: an earlier attempt got this far, with the same token.
        if (made.status() != 201 && made.status() != 409) {
            return "making a connection for trying: " + made.explained();
        }
        data.mark(MARK);
        LOG.info("first start: module enabled, incoming registrations wait for approval, connection for trying made");
        return null;
    }

    /** What a peer with the token for trying presents. */
    TokenHash tokenHash() throws IOException {
        return TokenHash.ofToken(token());
    }

    /** The connection for trying as operators are shown it: a list of one, or of none once it is deleted. */
    Operator.Answer connection() throws IOException {
        return operator.get("/connections?direction=sender&site_url="
                + URLEncoder.encode(site(token()), StandardCharsets.UTF_8));
    }

    private String token() throws IOException {
        return PrivateFiles.secret(data.tryFile("token"));
    }

    /** Belongs to this token alone, so that a state database of the user's may have served other standalones before. */
    private static String site(String token) {
        return "http://trying-%s.localhost".formatted(TokenHash.ofToken("site " + token).text().substring(0, 12));
    }
}
