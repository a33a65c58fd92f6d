package io.syncline.benchmarks.load;

/** Gives the bytes of one HTTP request after the other; asked by one thread. */
@FunctionalInterface
public interface RequestSource {

    byte[] next();
}
