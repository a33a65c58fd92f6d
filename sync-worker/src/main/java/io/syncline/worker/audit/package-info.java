/** Reads the connection event log again and proves what it says. */
@NullMarked
package io.syncline.worker.audit;

import org.jspecify.annotations.NullMarked;
