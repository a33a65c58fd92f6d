/** The cluster under test: each promise a named test, under faults. */
@NullMarked
package io.syncline.e2e;

import org.jspecify.annotations.NullMarked;
