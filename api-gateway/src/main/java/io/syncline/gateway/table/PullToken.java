package io.syncline.gateway.table;

import io.syncline.model.table.TableName;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * What a receiver hands back without looking into it: base64url of a kind, a check sum that also covers the table's name, and
 * numbers. Nothing in it is secret or gives a right: whoever makes one up asks for other rows of a table that it may pull
 * anyway.
 */
sealed interface PullToken {

    /**
     * A moment in the life of a table's copy, for {@code since}.
     *
     * @param generation the one that was served
     * @param change     the number of the newest change then
     */
    record AsOf(long generation, long change) implements PullToken {

        String text(TableName table) {
            ByteBuffer body = ByteBuffer.allocate(16).putLong(generation).putLong(change);
            return PullToken.text('a', table, body.array());
        }

        /** Empty for what is none, or one of another table. */
        static Optional<AsOf> read(String text, TableName table) {
            return PullToken.read(text, 'a', table, AsOf::read);
        }

        private static AsOf read(ByteBuffer body) {
            return new AsOf(body.getLong(), body.getLong());
        }
    }

    /**
     * Where a page ended.
     *
     * @param asOf  of the first page: what changes behind the cursor is found by a pull since then
     * @param since what the pages are the changes since, null for all rows
     * @param last  the last row's key, as PostgreSQL's texts of its columns
     */
    record Cursor(AsOf asOf, @Nullable AsOf since, List<String> last) implements PullToken {

        public Cursor {
            last = List.copyOf(last);
        }

        String text(TableName table) {
            List<byte[]> texts = last.stream().map(one -> one.getBytes(StandardCharsets.UTF_8)).toList();
            ByteBuffer body = ByteBuffer.allocate(34 + texts.stream().mapToInt(one -> 4 + one.length).sum());
            body.putLong(asOf.generation()).putLong(asOf.change());
            AsOf before = since == null ? new AsOf(0, 0) : since;
            body.put((byte) (since == null ? 0 : 1)).putLong(before.generation()).putLong(before.change());
            body.put((byte) texts.size());
            texts.forEach(one -> body.putInt(one.length).put(one));
            return PullToken.text('c', table, body.array());
        }

        static Optional<Cursor> read(String text, TableName table) {
            return PullToken.read(text, 'c', table, body -> {
                AsOf asOf = AsOf.read(body);
                boolean changes = body.get() == 1;
                AsOf since = AsOf.read(body);
                List<String> last = new ArrayList<>();
                for (int i = body.get(); i > 0; i--) {
                    byte[] one = new byte[Math.clamp(body.getInt(), 0, body.remaining())];
                    body.get(one);
                    last.add(new String(one, StandardCharsets.UTF_8));
                }
                return new Cursor(asOf, changes ? since : null, last);
            });
        }
    }

    private static String text(char kind, TableName table, byte[] body) {
        ByteBuffer all = ByteBuffer.allocate(5 + body.length)
                .put((byte) kind)
                .putInt(check(kind, table, body))
                .put(body);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(all.array());
    }

    private static <T> Optional<T> read(String text, char kind, TableName table,
            java.util.function.Function<ByteBuffer, T> read) {
        try {
            byte[] all = Base64.getUrlDecoder().decode(text);
            if (all.length < 5 || all[0] != kind) {
                return Optional.empty();
            }
            byte[] body = Arrays.copyOfRange(all, 5, all.length);
            if (ByteBuffer.wrap(all).getInt(1) != check(kind, table, body)) {
                return Optional.empty();
            }
            return Optional.of(read.apply(ByteBuffer.wrap(body)));
        } catch (IllegalArgumentException | BufferUnderflowException e) {
            return Optional.empty();
        }
    }

    private static int check(char kind, TableName table, byte[] body) {
        CRC32 check = new CRC32();
        check.update(kind);
        check.update(table.name().getBytes(StandardCharsets.UTF_8));
        check.update(0);
        check.update(body);
        return (int) check.getValue();
    }
}
