/** The replica's listener against a real broker: where it reads on, and what it does not trust. */
@NullMarked
package io.syncline.e2e.replica;

import org.jspecify.annotations.NullMarked;
