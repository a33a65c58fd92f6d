package io.syncline.benchmarks;

import java.util.List;
import java.util.stream.DoubleStream;

/** Rates of two versions, measured in turn. */
record Pairs(List<Pair> pairs) {

    /** Two rates, of slices that lie next to each other. */
    record Pair(double before, double after) {}

    Pairs {
        if (pairs.isEmpty()) {
            throw new IllegalArgumentException("there are no pairs to compare: --pairs is at least 1");
        }
        pairs = List.copyOf(pairs);
    }

    /** The median of the ratios after by before. */
    double ratio() {
        return median(ratios());
    }

    /** The second lowest ratio: below it the median of many more pairs would hardly lie. */
    double low() {
        double[] ratios = ratios().sorted().toArray();
        return ratios[Math.min(1, ratios.length - 1)];
    }

    /** The second highest ratio. */
    double high() {
        double[] ratios = ratios().sorted().toArray();
        return ratios[Math.max(0, ratios.length - 2)];
    }

    List<String> row(String name, String unit) {
        return List.of(name, unit, "%,.0f".formatted(median(pairs.stream().mapToDouble(Pair::before))),
                "%,.0f".formatted(median(pairs.stream().mapToDouble(Pair::after))), "%.3f".formatted(ratio()),
                "%.3f to %.3f".formatted(low(), high()));
    }

    private DoubleStream ratios() {
        return pairs.stream().mapToDouble(pair -> pair.after() / pair.before());
    }

    private static double median(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
