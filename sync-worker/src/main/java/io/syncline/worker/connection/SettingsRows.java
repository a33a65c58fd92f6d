package io.syncline.worker.connection;

import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.log.StoredOperators;
import java.sql.ResultSet;
import java.sql.SQLException;

/** The row of {@code settings}. */
final class SettingsRows {

    private SettingsRows() {}

    static ModuleSettings read(ResultSet row) throws SQLException {
        String mode = row.getString(2);
        String password = row.getString(3);
        return new ModuleSettings(row.getBoolean(1),
                IncomingMode.parse(mode)
                        .orElseThrow(() -> new IllegalStateException(
                                "settings.incoming_mode is '" + mode + "', which this version does not know")),
                password == null ? null : new PasswordHash(password), row.getLong(4),
                StoredOperators.read(row.getString(6)), SqlTime.read(row, 5));
    }

    static void save(Pipeline pipeline, ModuleSettings settings) {
        PasswordHash password = settings.incomingPassword();
        pipeline.run("""
                INSERT INTO syncline.settings (id, enabled, incoming_mode, incoming_password_hash, password_revision,
                    operators, updated_at)
                VALUES (1, ?, ?, ?, ?, ?, ?::timestamptz)
                ON CONFLICT (id) DO UPDATE SET enabled = excluded.enabled, incoming_mode = excluded.incoming_mode,
                    incoming_password_hash = excluded.incoming_password_hash,
                    password_revision = excluded.password_revision, operators = excluded.operators,
                    updated_at = excluded.updated_at""",
                settings.enabled(), settings.incomingMode().word(), password == null ? null : password.encoded(),
                settings.passwordRevision(), StoredOperators.write(settings.operators()),
                settings.updatedAt().toString());
    }
}
