/** The recorded exchanges with the system that peers run today, played against ours. */
@NullMarked
package io.syncline.e2e.golden;

import org.jspecify.annotations.NullMarked;
