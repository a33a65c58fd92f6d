package io.syncline.benchmarks.report;

/** A figure that was promised, and what came of it. */
public record Aim(String what, double measured, double bound, boolean atLeast) {

    public static Aim atLeast(String what, double measured, double bound) {
        return new Aim(what, measured, bound, true);
    }

    public static Aim below(String what, double measured, double bound) {
        return new Aim(what, measured, bound, false);
    }

    public boolean met() {
        return atLeast ? measured >= bound : measured < bound;
    }

    String sentence() {
        return "%s: %s %s, aim %s %s".formatted(what, number(measured), met() ? "✓" : "✗ missed",
                atLeast ? "≥" : "<", number(bound));
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(Figures.rounded(value, 2));
    }
}
