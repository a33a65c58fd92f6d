/** Keys and the protected forms of credentials: fingerprints, sealed secrets, MACs and signatures. */
@NullMarked
package io.syncline.model.credential;

import org.jspecify.annotations.NullMarked;
