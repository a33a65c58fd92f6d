/** Numbers that never go back, kept in Kafka: the state database may be restored to an earlier moment. */
@NullMarked
package io.syncline.worker.marks;

import org.jspecify.annotations.NullMarked;
