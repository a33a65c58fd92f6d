/** The HTTP contract that the gateway serves and that the worker calls at other sites. */
@NullMarked
package io.syncline.model.api;

import org.jspecify.annotations.NullMarked;
