/** What Debezium makes by class name and what we hang into it, so that it hands over PostgreSQL's own text of every value. */
@NullMarked
package io.syncline.worker.capture.debezium;

import org.jspecify.annotations.NullMarked;
