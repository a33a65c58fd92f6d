/** Serving the copy: what a receiver may list, look at and pull, streamed from the replica into the answer. */
@NullMarked
package io.syncline.gateway.table;

import org.jspecify.annotations.NullMarked;
