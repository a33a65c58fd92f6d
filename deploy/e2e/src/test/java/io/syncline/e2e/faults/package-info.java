/** Faults of the machines around the programs: brokers, the state database and the ways between them. */
@NullMarked
package io.syncline.e2e.faults;

import org.jspecify.annotations.NullMarked;
