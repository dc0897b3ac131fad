package io.counters.collector;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGHUP, which asks a daemon to look at its files again; without this it would end the JVM. The JDK's only way to a signal,
 * {@code sun.misc.Signal}, is no public API, so it is called by reflection; where it is missing, SIGHUP ends the process as
 * before.
 */
final class Hangup {
    private static final Logger log = LoggerFactory.getLogger(Hangup.class);

    private Hangup() {}

    /** @param reload called for each SIGHUP, on a thread of the JDK's; must not throw */
    static void calls(Runnable reload) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object calling = Proxy.newProxyInstance(
                    Hangup.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            reload.run();
                            return null;
                        }
                        return method.invoke(reload, arguments);
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("HUP"), calling);
        } catch (InvocationTargetException taken) {
            log.debug("SIGHUP is not taken: the system has none, or the JVM was started with -Xrs", taken);
        } catch (ReflectiveOperationException missing) {
            log.debug("SIGHUP is not taken: this JDK has no sun.misc.Signal", missing);
        }
    }
}
