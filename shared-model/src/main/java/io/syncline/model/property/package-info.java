/** Names of the properties that the programs read. */
@NullMarked
package io.syncline.model.property;

import org.jspecify.annotations.NullMarked;
