package io.syncline.worker.capture;

/** Why a table of the source is not captured, and what its owner can do: told to the operator, never to peers. */
record LeftOut(String cause, String remedy) {}
