package io.counters.collector;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/**
 * Handles SIGHUP, which asks a daemon to read its files again. Without a handler it would end the JVM. The JDK's only API
 * for signals, {@code sun.misc.Signal}, is not public, so it is called by reflection; if it is missing, or the system has no
 * SIGHUP, nothing changes. This class logs nothing, because the proxy sets its log level later.
 */
final class Hangup {
    private @Nullable Runnable reload;
    private boolean isEarly;

    private Hangup() {}

    /** Handles the signal from now on; one that comes before {@link #calls} has its effect then. */
    static Hangup taken() {
        Hangup hangup = new Hangup();
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object calling = Proxy.newProxyInstance(
                    Hangup.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            hangup.signal();
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

    synchronized void signal() {
        if (reload == null) {
            isEarly = true;
        } else {
            reload.run();
        }
    }

    /** @param what runs at each SIGHUP, on a thread of the JDK; must not throw */
    synchronized void calls(Runnable what) {
        reload = what;
        if (isEarly) {
            isEarly = false;
            what.run();
        }
    }
}
