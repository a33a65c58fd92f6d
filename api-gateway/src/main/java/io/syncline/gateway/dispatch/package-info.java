/** Submits a request to the ring and waits for its one outcome; says <em>not applied</em> only where that is certain. */
@NullMarked
package io.syncline.gateway.dispatch;

import org.jspecify.annotations.NullMarked;
