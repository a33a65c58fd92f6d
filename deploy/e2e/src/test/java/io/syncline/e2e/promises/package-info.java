/** The promises of the architecture, each under the faults that could break it. */
@NullMarked
package io.syncline.e2e.promises;

import org.jspecify.annotations.NullMarked;
