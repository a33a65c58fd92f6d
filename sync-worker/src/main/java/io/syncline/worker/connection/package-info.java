/** Decides what may happen to connections, and keeps database and event log telling the same story. */
@NullMarked
package io.syncline.worker.connection;

import org.jspecify.annotations.NullMarked;
