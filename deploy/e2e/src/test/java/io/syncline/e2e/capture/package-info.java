/** What the table topics say of a source, from a real one through a real broker. */
@NullMarked
package io.syncline.e2e.capture;

import org.jspecify.annotations.NullMarked;
