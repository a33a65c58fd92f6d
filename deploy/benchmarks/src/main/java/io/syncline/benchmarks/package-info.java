/** Load and its measure. */
@NullMarked
package io.syncline.benchmarks;

import org.jspecify.annotations.NullMarked;
