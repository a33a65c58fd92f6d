/** Writing the copy: table topics are applied to replica tables in PostgreSQL, each batch and the position behind it in one transaction. */
@NullMarked
package io.syncline.worker.replica;

import org.jspecify.annotations.NullMarked;
