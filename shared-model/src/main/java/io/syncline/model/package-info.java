/** What is said between the processes; knows no Spring, no Kafka, no JDBC. */
@NullMarked
package io.syncline.model;

import org.jspecify.annotations.NullMarked;
