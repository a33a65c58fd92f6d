/** PostgreSQL's own text of a row becomes its wire JSON: pure, and the same for snapshot and stream. */
@NullMarked
package io.syncline.worker.capture.encode;

import org.jspecify.annotations.NullMarked;
