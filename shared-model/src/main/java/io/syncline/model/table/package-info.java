/** Tables that are shared: their names, their columns, and the changes that travel from the source to the replica. */
@NullMarked
package io.syncline.model.table;

import org.jspecify.annotations.NullMarked;
