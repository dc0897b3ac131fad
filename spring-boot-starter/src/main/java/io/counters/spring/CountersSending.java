package io.counters.spring;

import io.counters.Counters;
import io.counters.emit.EmitterSettings;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/**
 * Sends the counts of this JVM while the application context lives, unless the agent does.
 *
 * <p>The context creates it before all other beans and destroys it after them, so the last sweep contains what they count
 * while they are being destroyed.
 */
final class CountersSending {
    private static final Log log = LogFactory.getLog(CountersSending.class);

    /** The agent sets it when it starts, also if it is attached later. */
    private static final String AGENT = "io.counters.agent";

    private final AutoCloseable sending;
    private final String destination;

    private CountersSending(AutoCloseable sending, String destination) {
        this.sending = sending;
        this.destination = destination;
    }

    static CountersSending start(CountersProperties properties) {
        EmitterSettings settings = properties.settings();
        if (isAgentPresent()) {
            log.info("The counters agent of this JVM sends, so " + CountersProperties.PREFIX + " has no effect");
            return new CountersSending(() -> {}, "where the agent sends");
        }
        log.info("Sending counters to " + settings);
        return new CountersSending(Counters.start(settings), settings.toString());
    }

    /** Whether the agent is in this JVM, so that it counts and sends. */
    static boolean isAgentPresent() {
        return System.getProperty(AGENT) != null;
    }

    /** The collectors, or that the agent sends. */
    String destination() {
        return destination;
    }

    /** Makes the last sweep, within half a second. Spring calls it. */
    public void close() throws Exception {
        sending.close();
    }
}
