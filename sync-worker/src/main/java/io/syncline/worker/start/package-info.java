/** What must be there before a worker works: topics, state schema; then the rooms are opened. */
@NullMarked
package io.syncline.worker.start;

import org.jspecify.annotations.NullMarked;
