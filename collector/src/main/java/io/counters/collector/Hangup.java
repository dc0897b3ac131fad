package io.counters.collector;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * Handles SIGHUP, which asks a daemon to read its files again. Without a handler it would end the JVM. The JDK's only API
 * for signals, {@code sun.misc.Signal}, is not public, so it is called by reflection; if it is missing, or the system has no
 * SIGHUP, nothing changes. This class logs nothing, because the proxy sets its log level later.
 */
final class Hangup {
    private volatile Runnable reload = () -> {};

    private Hangup() {}

    /** Handles the signal from now on; until {@link #calls} is called, the signal has no effect. */
    static Hangup taken() {
        Hangup hangup = new Hangup();
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object calling = Proxy.newProxyInstance(
                    Hangup.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            hangup.reload.run();
                            return null;
                        }
                        return method.invoke(hangup, arguments);
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("HUP"), calling);
        } catch (InvocationTargetException noSuchSignal) {
            // On Windows, or if the JVM was started with -Xrs.
        } catch (ReflectiveOperationException noSuchApi) {
            // On a JDK without sun.misc.Signal.
        }
        return hangup;
    }

    /** @param what runs at each SIGHUP, on a thread of the JDK; must not throw */
    void calls(Runnable what) {
        reload = what;
    }
}
