package io.syncline.worker.capture;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How the source is captured.
 *
 * @param enabled           false: this worker never captures, others may
 * @param slotName          the replication slot in the source: lower-case letters, digits and underscores
 * @param publication       the publication in the source; only tables whose owners can go on with UPDATE and DELETE are added
 * @param tablePartitions   partitions of a table's topic; fixed when the topic is made
 * @param snapshotThreads   tables read at a time when they are snapshotted
 * @param catalogueInterval how often the source is asked what tables it has
 * @param heartbeat         how often an idle source is given something to confirm, so that its slot holds no WAL back
 * @param maxRowBytes       the largest row, as wire JSON; a larger one halts its table. By default a value of 32 MB passes, of
 *                          whatever type: a byte is two digits there, a quote or backslash two characters
 * @param refreshInterval   how often a table is read anew whose changes cannot be streamed
 * @param maxKeylessRows    how many different rows streamed tables without a key may have, all of them together; beyond, the
 *                          one with the most is halted
 * @param maxRetainedWal    how much WAL the slot may keep in the source
 * @param dropSlotPastMaxRetainedWal whether a slot that keeps more is dropped, and everything captured anew; else it is only warned of
 */
@ConfigurationProperties("syncline.capture")
public record CaptureProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("syncline") String slotName,
        @DefaultValue("syncline") String publication,
        @DefaultValue("1") int tablePartitions,
        @DefaultValue("2") int snapshotThreads,
        @DefaultValue("2s") Duration catalogueInterval,
        @DefaultValue("10s") Duration heartbeat,
        @DefaultValue("68157440") int maxRowBytes,
        @DefaultValue("10m") Duration refreshInterval,
        @DefaultValue("1000000") int maxKeylessRows,
        @DefaultValue("10GB") DataSize maxRetainedWal,
        @DefaultValue("true") boolean dropSlotPastMaxRetainedWal) {

    public CaptureProperties {
        if (!slotName.matches("[a-z0-9_]{1,50}")) {
            throw new IllegalArgumentException("syncline.capture.slot-name '" + slotName
                    + "': PostgreSQL takes lower-case letters, digits and underscores (50 at most here)");
        }
        if (publication.isBlank()) {
            throw new IllegalArgumentException("syncline.capture.publication is empty");
        }
        if (tablePartitions < 1 || snapshotThreads < 1 || maxRowBytes < 1) {
            throw new IllegalArgumentException(
                    "syncline.capture: table-partitions (" + tablePartitions + "), snapshot-threads ("
                            + snapshotThreads + ") and max-row-bytes (" + maxRowBytes + ") must be 1 or more");
        }
    }
}
