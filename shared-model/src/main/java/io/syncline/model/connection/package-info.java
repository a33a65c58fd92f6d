/** What sites are to each other: the state of a site's connections, the facts it is folded from, and what may be asked for. */
@NullMarked
package io.syncline.model.connection;

import org.jspecify.annotations.NullMarked;
