/** What a flight recording says of where the time went. */
@NullMarked
package io.syncline.benchmarks.profile;

import org.jspecify.annotations.NullMarked;
