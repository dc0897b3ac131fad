package io.counters.benchmarks.startup;

import java.lang.instrument.Instrumentation;

/** The smallest possible agent: shows what the JVM itself needs to run any agent. */
public final class EmptyAgent {
    private EmptyAgent() {}

    /** Does nothing. */
    public static void premain(String arguments, Instrumentation instrumentation) {}
}
