package io.syncline.gateway.connection;

import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import java.sql.SQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Warns at start of settings that are valid and hardly meant. */
public final class SettingsAdvice {

    private static final Logger log = LoggerFactory.getLogger(SettingsAdvice.class);

    private final ConnectionReads reads;

    public SettingsAdvice(ConnectionReads reads) {
        this.reads = reads;
    }

    public void give() {
        try {
            ModuleSettings settings = reads.settings();
            if (settings.incomingMode() == IncomingMode.REQUIRE_PASSWORD && settings.incomingPassword() == null) {
                log.warn(
                        "incoming_mode is require_password and no password is stored, so every registration is refused:"
                                + " set incoming_password by PATCH /admin/api/settings, or choose another mode");
            }
        } catch (SQLException e) {
            log.debug("settings could not be read", e);
        }
    }
}
