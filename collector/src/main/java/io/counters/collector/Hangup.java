package io.counters.collector;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * SIGHUP, which asks a daemon to look at its files again; without this it would end the JVM. The JDK's only way to a signal,
 * {@code sun.misc.Signal}, is no public API, so it is called by reflection; where it is missing, or the system has no SIGHUP,
 * nothing changes. Logs nothing itself, as the proxy sets the level of its log later.
 */
final class Hangup {
    private volatile Runnable reload = () -> {};

    private Hangup() {}

    /** Takes the signal from now on; until {@link #calls} says what it does, it does nothing. */
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
            // Windows, or a JVM that was started with -Xrs.
        } catch (ReflectiveOperationException noSuchApi) {
            // Another JDK.
        }
        return hangup;
    }

    /** @param what is done for each SIGHUP, on a thread of the JDK's; must not throw */
    void calls(Runnable what) {
        reload = what;
    }
}
