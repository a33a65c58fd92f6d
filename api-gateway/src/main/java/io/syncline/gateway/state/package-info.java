/** The way to the state database: read only, never to one that is behind what this gateway has seen. */
@NullMarked
package io.syncline.gateway.state;

import org.jspecify.annotations.NullMarked;
