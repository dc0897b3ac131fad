package io.counters.benchmarks.startup;

import java.lang.instrument.Instrumentation;

/** The least that an agent can be: what the JVM itself takes to have one. */
public final class EmptyAgent {
    private EmptyAgent() {}

    /** Does nothing. */
    public static void premain(String arguments, Instrumentation instrumentation) {}
}
