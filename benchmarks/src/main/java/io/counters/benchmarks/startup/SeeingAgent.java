package io.counters.benchmarks.startup;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import org.jspecify.annotations.Nullable;

/** Sees every class and changes none: what the JVM itself takes to show an agent the class files. */
public final class SeeingAgent implements ClassFileTransformer {
    private SeeingAgent() {}

    /** Begins to look. */
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
