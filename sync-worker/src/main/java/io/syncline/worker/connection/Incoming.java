package io.syncline.worker.connection;

import io.syncline.model.log.RequestRecord;

/** A request where it lies in its partition. */
record Incoming(long offset, RequestRecord record) {}
