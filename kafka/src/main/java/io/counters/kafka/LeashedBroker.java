package io.counters.kafka;

import java.io.IOException;
import java.io.InputStream;

/**
 * A {@link Broker} that halts when its standard input ends, which also happens when the process that started it dies, so a
 * killed test leaves no broker running.
 */
public final class LeashedBroker {
    private LeashedBroker() {}

    /** As {@link Broker#main}. */
    public static void main(String[] arguments) {
        InputStream starter = System.in;
        Thread thread = new Thread(() -> haltAtItsEnd(starter), "leash");
        thread.setDaemon(true);
        thread.start();
        Broker.main(arguments);
    }

    private static void haltAtItsEnd(InputStream starter) {
        try {
            while (starter.read() >= 0) {
                // No input is expected.
            }
        } catch (IOException broken) {
            // This is an end, too.
        }
        Runtime.getRuntime().halt(0);
    }
}
