/** The edge of HTTP: reads calls strictly, knows every status and header, and says no in the protocol's words. */
@NullMarked
package io.syncline.gateway.http;

import org.jspecify.annotations.NullMarked;
