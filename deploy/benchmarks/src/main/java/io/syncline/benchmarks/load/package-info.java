/** Sends requests as fast as they are answered, and keeps how long each took. */
@NullMarked
package io.syncline.benchmarks.load;

import org.jspecify.annotations.NullMarked;
