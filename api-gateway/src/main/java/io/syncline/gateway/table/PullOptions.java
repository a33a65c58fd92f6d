package io.syncline.gateway.table;

import io.syncline.gateway.http.CallFields;
import io.syncline.gateway.table.PullToken.AsOf;
import io.syncline.gateway.table.PullToken.Cursor;
import io.syncline.model.table.TableName;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What a call of {@code pull-data} asks for beyond what peers have always got.
 *
 * @param limit  rows of this page, deleted ones included
 * @param cursor where the page before ended
 * @param since  an earlier moment: only what has changed; a cursor brings its own
 * @param lines  a row a line, and all of them unless there is a limit
 */
record PullOptions(OptionalLong limit, @Nullable Cursor cursor, @Nullable AsOf since, boolean lines) {

    /** Reads the fields; what is no such value, or one of another table, is rejected. */
    static PullOptions read(CallFields fields, String table, boolean lines) {
        OptionalLong limit = fields.optionalCount("limit");
        if (limit.isPresent() && limit.getAsLong() == 0) {
            fields.reject("limit");
        }
        Optional<String> cursorText = fields.optionalText("cursor");
        Optional<String> sinceText = fields.optionalText("since");
        if (!TableName.possible(table)) {
            // There is no such table, and nothing to look at further.
            return new PullOptions(limit, null, null, lines);
        }
        TableName name = new TableName(table);
        Cursor cursor = cursorText.flatMap(text -> Cursor.read(text, name)).orElse(null);
        AsOf since = sinceText.flatMap(text -> AsOf.read(text, name)).orElse(null);
        if (cursorText.isPresent() && cursor == null) {
            fields.reject("cursor");
        }
        if (sinceText.isPresent() && (since == null || cursor != null && !since.equals(cursor.since()))) {
            fields.reject("since");
        }
        return new PullOptions(limit, cursor, cursor == null ? since : cursor.since(), lines);
    }

    /** Whether it asks for none of it. */
    boolean plain() {
        return limit.isEmpty() && cursor == null && since == null && !lines;
    }

    /** How many rows an answer has at most, where so many are the most for one request. */
    long most(long perRequest) {
        if (lines && limit.isEmpty()) {
            return Long.MAX_VALUE;
        }
        return lines ? limit.getAsLong() : Math.min(limit.orElse(perRequest), perRequest);
    }
}
