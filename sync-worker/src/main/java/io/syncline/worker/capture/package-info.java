/** Reads the source: what its tables are, their rows as they stand, and every change after. */
@NullMarked
package io.syncline.worker.capture;

import org.jspecify.annotations.NullMarked;
