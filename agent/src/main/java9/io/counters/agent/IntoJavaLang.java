package io.counters.agent;

import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandles;
import java.util.Collections;
import java.util.function.BiConsumer;

/**
 * Defines classes into {@code java.lang} as Java 9 and newer allow it: that is opened to us first. The only class
 * that calls what Java 8 does not have, as calling it by reflection costs the start of a service 40 ms on Java 25.
 * {@code Bridge} loads it by name.
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
