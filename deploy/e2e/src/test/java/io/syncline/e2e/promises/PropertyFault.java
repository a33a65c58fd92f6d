package io.syncline.e2e.promises;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;

/** What is drawn while tables are written to. */
enum PropertyFault {

    // Processes and servers.
    WORKER_KILLED, WORKER_FROZEN,
    /** All brokers but one, or the only one. */
    BROKERS_LOST,
    /** A backup of the state database takes its place. */
    STATE_RESTORED,
    /** The last commits go with the state database's primary. */
    STATE_FAILED_OVER,

    // The source.
    DDL_UNDONE, PARTITION_DETACHED, PUBLICATION_CHANGED, SETTINGS_CHANGED;

    boolean ofSource() {
        return compareTo(DDL_UNDONE) >= 0;
    }

    /** @param names with commas between, or {@code ALL} */
    static Set<PropertyFault> named(String names) {
        if (names.equals("ALL")) {
            return EnumSet.allOf(PropertyFault.class);
        }
        return Arrays.stream(names.split(","))
                .map(PropertyFault::valueOf)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(PropertyFault.class)));
    }
}
