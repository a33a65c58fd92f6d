/** What is decided and done: connections, capture, replica, calls to peers, audit. */
@NullMarked
package io.syncline.worker;

import org.jspecify.annotations.NullMarked;
