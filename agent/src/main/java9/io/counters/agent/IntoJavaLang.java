package io.counters.agent;

import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandles;
import java.util.Collections;
import java.util.function.BiConsumer;

/**
 * Defines classes in {@code java.lang} on Java 9 and newer, after opening that package to the agent. This is the only
 * class that calls methods that Java 8 does not have: on Java 25, calling them by reflection would cost 40 ms at a
 * service's start. {@code Bridge} loads it by name.
 */
final class IntoJavaLang implements BiConsumer<Instrumentation, byte[][]> {
    @Override
    public void accept(Instrumentation instrumentation, byte[][] classes) {
        instrumentation.redefineModule(
                Object.class.getModule(),
                Collections.emptySet(),
                Collections.emptyMap(),
                Collections.singletonMap("java.lang", Collections.singleton(IntoJavaLang.class.getModule())),
                Collections.emptySet(),
                Collections.emptyMap());
        try {
            MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(Object.class, MethodHandles.lookup());
            for (byte[] one : classes) {
                lookup.defineClass(one);
            }
        } catch (IllegalAccessException refused) {
            throw new IllegalStateException(refused);
        }
    }
}
