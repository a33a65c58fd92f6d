/** What the tests of several modules need. */
@NullMarked
package io.syncline.model.testing;

import org.jspecify.annotations.NullMarked;
