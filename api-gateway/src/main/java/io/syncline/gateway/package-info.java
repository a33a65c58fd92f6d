/** The peers' HTTP protocol on one side, topics and read-only SQL on the other; decides nothing. */
@NullMarked
package io.syncline.gateway;

import org.jspecify.annotations.NullMarked;
