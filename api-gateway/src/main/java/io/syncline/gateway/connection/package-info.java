/** The peers' connection calls: refuses what the committed state settles, takes everything else round the ring. */
@NullMarked
package io.syncline.gateway.connection;

import org.jspecify.annotations.NullMarked;
