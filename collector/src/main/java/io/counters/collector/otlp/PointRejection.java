package io.counters.collector.otlp;

import java.util.Locale;

/** Why a data point was rejected: the rule that it broke. docs/operations.md has a row for each, with the same words. */
enum PointRejection {
    GAUGE("gauges are not counted, only sums are"),
    HISTOGRAM("histograms are not counted, only sums are"),
    SUMMARY("summaries are not counted, only sums are"),
    TEMPORALITY("a sum needs the temporality cumulative or delta"),
    NO_VALUE("a data point needs a value"),
    NEGATIVE("a value of a monotonic sum is never negative"),
    NOT_FINITE("a value is neither infinite nor NaN"),
    FRACTION("a value of a delta sum is a whole number, because what rounding leaves out would be lost"),
    TOO_LARGE("a value is at most 2^53, of a cumulative non-monotonic sum at most 2^51"),
    NO_START("a cumulative non-monotonic sum needs a start time"),
    TOO_OLD("a cumulative non-monotonic sum began at most 400 days ago"),
    TWO_WRITERS(
            "a value that fell with the same start time must not rise above the earlier one within 10 data points: two"
                    + " processes may send one series; set service.instance.id"),
    TIME("a data point needs a time, which is not before its start time"),
    EMPTY_NAME("a metric needs a name"),
    NAME_TOO_LONG("a name with its tags has at most 250 bytes, less those of --prefix; --otlp-tags leaves out tags"),
    POINT_TOO_LARGE("a data point has at most 65,536 bytes");

    private final String rule;

    PointRejection(String rule) {
        this.rule = rule;
    }

    /** The rule, in words for a person. */
    String rule() {
        return rule;
    }

    /** The reason as a metric's label. */
    String reason() {
        return name().toLowerCase(Locale.ROOT);
    }
}
