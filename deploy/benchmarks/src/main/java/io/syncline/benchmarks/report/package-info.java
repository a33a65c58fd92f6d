/** What was measured, where, from which commit: as JSON and as a table. */
@NullMarked
package io.syncline.benchmarks.report;

import org.jspecify.annotations.NullMarked;
