/** The cluster under test: real broker, real databases, real processes; each promise a named test. */
@NullMarked
package io.syncline.e2e;

import org.jspecify.annotations.NullMarked;
