/** What lies in Kafka: topics, type names, codecs, and the hash chain that makes the event log provable. */
@NullMarked
package io.syncline.model.log;

import org.jspecify.annotations.NullMarked;
