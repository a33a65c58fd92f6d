/** A whole site in one JVM: broker, database, gateway and worker. */
@NullMarked
package io.syncline.standalone;

import org.jspecify.annotations.NullMarked;
