package io.counters.benchmarks.startup;

import io.counters.Count;

/** The one annotated class. */
final class Marked {
    private Marked() {}

    @Count("startup.called")
    static int call(int argument) {
        return argument + 1;
    }
}
