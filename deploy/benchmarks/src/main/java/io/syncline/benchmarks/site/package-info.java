/** The site under load, its control beside it, in processes of their own. */
@NullMarked
package io.syncline.benchmarks.site;

import org.jspecify.annotations.NullMarked;
