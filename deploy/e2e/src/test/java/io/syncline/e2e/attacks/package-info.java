/** What somebody who means harm would send, and what must come of it: nothing. */
@NullMarked
package io.syncline.e2e.attacks;

import org.jspecify.annotations.NullMarked;
