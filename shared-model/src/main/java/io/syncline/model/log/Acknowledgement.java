package io.syncline.model.log;

import java.util.List;

/**
 * An operator's signed word that holes of a partition are known, so that the log goes on behind them.
 *
 * @param by           the operator's name as given
 * @param reason       why the log may go on
 * @param restored     of each hole, in their order, how many events lie in the log again: fewer than that is another fault
 * @param restoredFrom offset from which, up to the acknowledgement, restored events lie again byte for byte; -1 for none
 */
public record Acknowledgement(String by, String reason, List<Hole> holes, List<Long> restored, long restoredFrom) {

    public Acknowledgement {
        holes = List.copyOf(holes);
        restored = List.copyOf(restored);
        if (restored.size() != holes.size()) {
            throw new IllegalArgumentException(
                    "an acknowledgement of " + holes.size() + " holes counts what was restored for " + restored.size());
        }
    }
}
