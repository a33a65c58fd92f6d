/** The connection half from request to reply: real broker, real database, no gateway. */
@NullMarked
package io.syncline.e2e.connection;

import org.jspecify.annotations.NullMarked;
