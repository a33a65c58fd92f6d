/** The least that anything on this HTTP stack can do: what the site's calls are compared with. */
@NullMarked
package io.syncline.benchmarks.control;

import org.jspecify.annotations.NullMarked;
