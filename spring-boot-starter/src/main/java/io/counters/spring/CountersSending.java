package io.counters.spring;

import io.counters.Counters;
import io.counters.cells.Cells;
import io.counters.emit.Emitter;
import io.counters.emit.EmitterSettings;
import java.util.function.Consumer;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Sends the counts of this JVM while an application context lives, unless the agent does. The first context starts the
 * sending, and the last one that is closed ends it.
 *
 * <p>A context creates it before all other beans and destroys it after them, so the last sweep contains what they count
 * while they are being destroyed.
 */
final class CountersSending {
    private static final Log log = LogFactory.getLog(CountersSending.class);

    /** The agent sets it once it counts, also if it is attached later. */
    private static final String AGENT_COUNTS = "io.counters.agent.counts";

    /** What the open contexts of this JVM share. */
    private static int contexts;

    private static AutoCloseable sending = () -> {};
    private static CountersProperties.@Nullable Sent sent;
    private static String sentTo = "";

    private final boolean byAgent;
    private final String destination;
    private boolean closed;

    private CountersSending(boolean byAgent, String destination) {
        this.byAgent = byAgent;
        this.destination = destination;
    }

    static CountersSending start(CountersProperties properties) {
        return start(properties, log::info, log::warn);
    }

    static CountersSending start(CountersProperties properties, Consumer<String> info, Consumer<String> warn) {
        EmitterSettings settings = properties.settings();
        if (Cells.joinBridge()) {
            info.accept("The counters agent of this JVM sends, so " + CountersProperties.PREFIX + " has no effect");
            return new CountersSending(true, "where the agent sends");
        }
        synchronized (CountersSending.class) {
            CountersProperties.Sent wanted = properties.sent();
            if (contexts == 0) {
                sending = Counters.start(settings);
                sent = wanted;
                sentTo = settings.toString();
                info.accept("Sending counters to " + settings);
            } else if (!wanted.equals(sent)) {
                warn.accept("This application context has " + wanted + ", but another one of this JVM already sends by "
                        + sent + "; a JVM sends all of its counters in one way, so all contexts must have the same "
                        + CountersProperties.PREFIX);
            }
            contexts++;
            return new CountersSending(false, sentTo);
        }
    }

    /** Whether the agent counts {@code @Count} in this JVM. Not until it has instrumented the classes that are loaded. */
    static boolean doesAgentCount() {
        return System.getProperty(AGENT_COUNTS) != null && Bridge.isThere();
    }

    /** The class that the agent needs to count. It is missing if the agent could not define it. */
    private static final class Bridge {
        private static volatile boolean found;

        static boolean isThere() {
            if (!found) {
                try {
                    Class.forName(Cells.BRIDGE, false, null);
                    found = true;
                } catch (ClassNotFoundException missing) {
                    return false;
                }
            }
            return true;
        }
    }

    /** The collectors, or that the agent sends. */
    String destination() {
        return destination;
    }

    /** Makes the last sweep, within half a second, if no other context is open. Spring calls it. */
    public void close() throws Exception {
        if (byAgent) {
            // The agent's hook does not wait for the application, and the JVM ends after the last hook.
            Emitter.awaitEndingSweeps();
            return;
        }
        synchronized (CountersSending.class) {
            if (!closed) {
                closed = true;
                contexts--;
                if (contexts == 0) {
                    sending.close();
                }
            }
        }
    }
}
