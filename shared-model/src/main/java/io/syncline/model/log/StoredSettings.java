package io.syncline.model.log;

import io.syncline.model.connection.ConnectionSettings;
import java.nio.charset.StandardCharsets;

/** The settings of a sender connection as the {@code settings} column of {@code connection} has them: JSON text. */
public final class StoredSettings {

    private StoredSettings() {}

    public static String write(ConnectionSettings settings) {
        return new String(Json.write(settings), StandardCharsets.UTF_8);
    }

    public static ConnectionSettings read(String json) {
        return Json.read(json.getBytes(StandardCharsets.UTF_8), ConnectionSettings.class);
    }
}
