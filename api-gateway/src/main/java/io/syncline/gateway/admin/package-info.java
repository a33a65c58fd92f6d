/** The operators' API: settings, connections and what is known of the tables. Changes go round the ring like any other. */
@NullMarked
package io.syncline.gateway.admin;

import org.jspecify.annotations.NullMarked;
