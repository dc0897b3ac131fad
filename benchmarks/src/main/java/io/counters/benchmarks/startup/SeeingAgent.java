package io.counters.benchmarks.startup;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import org.jspecify.annotations.Nullable;

/** Receives every class file and changes none: shows what the JVM itself needs to pass class files to an agent. */
public final class SeeingAgent implements ClassFileTransformer {
    private SeeingAgent() {}

    /** Adds the transformer. */
    public static void premain(String arguments, Instrumentation instrumentation) {
        instrumentation.addTransformer(new SeeingAgent(), true);
    }

    @Override
    public byte @Nullable [] transform(
            @Nullable ClassLoader loader,
            @Nullable String name,
            @Nullable Class<?> redefined,
            @Nullable ProtectionDomain domain,
            byte[] classFile) {
        return null;
    }
}
