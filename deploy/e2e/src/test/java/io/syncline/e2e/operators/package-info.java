/** What operators do, with everything there that it takes. */
@NullMarked
package io.syncline.e2e.operators;

import org.jspecify.annotations.NullMarked;
