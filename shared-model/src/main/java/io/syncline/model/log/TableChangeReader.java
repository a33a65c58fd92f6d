package io.syncline.model.log;

import io.syncline.model.log.TableChangeCodec.Begun;
import io.syncline.model.log.TableChangeCodec.Dropped;
import io.syncline.model.log.TableChangeCodec.Ended;
import io.syncline.model.log.TableChangeCodec.Halted;
import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads what {@link TableChangeCodec} has written, one record after the other. It remembers what each header of the record before
 * meant: those of a snapshot's rows are all the same, and are taken apart once. For one thread.
 */
public final class TableChangeReader {

    /** The highest numbers that capture gives: a generation's is made of its epoch's, with room for a million of them. */
    private static final long MOST_GENERATION = 4_000_000_000_000_000_000L;
    private static final long MOST_EPOCH = MOST_GENERATION / 1_000_000;

    private final Remembered<String> op = new Remembered<>(TableChangeCodec.OP, text -> text);
    private final Remembered<Long> epoch = new Remembered<>(TableChangeCodec.EPOCH, Long::valueOf);
    private final Remembered<Place> place = new Remembered<>(TableChangeCodec.PLACE, Place::parse);

    /** A record's headers by their names; null for one that is not there. */
    @FunctionalInterface
    public interface Headers {
        byte @Nullable [] value(String name);
    }

    /** The change of a record; {@link MalformedRecordException} for a record that is none. */
    public TableChange read(Headers headers, byte @Nullable [] key, byte @Nullable [] value) {
        long ofEpoch = within(epoch.of(headers), MOST_EPOCH, "epoch");
        String what = op.of(headers);
        return switch (what) {
            case "upsert" ->
                    new TableChange.Upsert(ofEpoch, place.of(headers), need(key, "key"), need(value, "value"));
            case "delete" -> new TableChange.Delete(ofEpoch, place.of(headers), need(key, "key"));
            case "truncate" -> new TableChange.Truncate(ofEpoch, place.of(headers));
            case "begin" -> {
                Begun begun = Json.read(need(value, "value"), Begun.class);
                yield new TableChange.SnapshotBegun(ofEpoch, generation(begun.generation()), begun.schema());
            }
            case "end" -> {
                Ended ended = Json.read(need(value, "value"), Ended.class);
                yield new TableChange.SnapshotEnded(ofEpoch, generation(ended.generation()), ended.rows(),
                        ended.asOf());
            }
            case "halted" -> {
                Halted halted = Json.read(need(value, "value"), Halted.class);
                yield new TableChange.Halted(ofEpoch, generation(halted.generation()), halted.cause());
            }
            case "dropped" ->
                    new TableChange.Dropped(ofEpoch,
                            generation(Json.read(need(value, "value"), Dropped.class).generation()));
            case "epoch" -> new TableChange.EpochBegun(ofEpoch);
            default -> throw new MalformedRecordException("op '" + what + "' is none that this version knows");
        };
    }

    private static long generation(long number) {
        return within(number, MOST_GENERATION, "generation");
    }

    /** A stray record with a number beyond all others must not keep capture from going on with smaller ones. */
    private static long within(long number, long most, String what) {
        if (number < 0 || number > most) {
            throw new MalformedRecordException(
                    what + " " + number + " is not one that capture gives (0 to " + most + ")");
        }
        return number;
    }

    private static byte[] need(byte @Nullable [] bytes, String part) {
        if (bytes == null) {
            throw new MalformedRecordException("the record has no " + part);
        }
        return bytes;
    }

    /** A header and what its bytes meant when they were last seen. */
    private static final class Remembered<T> {

        private final String name;
        private final Function<String, T> meaning;
        private byte[] bytes = new byte[0];
        private @Nullable T meant;

        Remembered(String name, Function<String, T> meaning) {
            this.name = name;
            this.meaning = meaning;
        }

        T of(Headers headers) {
            byte[] now = headers.value(name);
            if (now == null) {
                throw new MalformedRecordException("header " + name + " is missing");
            }
            T before = meant;
            if (before != null && Arrays.equals(now, bytes)) {
                return before;
            }
            T fresh = read(new String(now, StandardCharsets.UTF_8));
            bytes = now;
            meant = fresh;
            return fresh;
        }

        private T read(String text) {
            try {
                return meaning.apply(text);
            } catch (IllegalArgumentException e) {
                throw new MalformedRecordException("header " + name + " is not as capture writes it");
            }
        }
    }
}
