package io.syncline.worker.capture;

/** Names and texts in statements that take no parameters. */
final class Sql {

    private Sql() {}

    static String identifier(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    static String literal(String text) {
        String quoted = text.replace("'", "''");
        // E'' reads the same under either standard_conforming_strings.
        return quoted.indexOf('\\') < 0 ? '\'' + quoted + '\'' : "E'" + quoted.replace("\\", "\\\\") + '\'';
    }
}
