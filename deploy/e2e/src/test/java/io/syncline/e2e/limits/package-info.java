/** What operators allow over a connection holds, exactly, through the whole ring and several gateways. */
@NullMarked
package io.syncline.e2e.limits;

import org.jspecify.annotations.NullMarked;
