package io.counters.opentsdb;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.Arrays;

/**
 * Runs another program in this JVM and halts it when the standard input ends. That also happens when the process that
 * started it dies, so a killed test leaves no server running.
 */
public final class Leash {
    private Leash() {}

    /**
     * Runs the other program's {@code main} and returns when it does.
     *
     * @param arguments its class, which need not be public, and its arguments
     */
    public static void main(String[] arguments) throws ReflectiveOperationException {
        InputStream starter = System.in;
        Thread thread = new Thread(() -> haltAtItsEnd(starter), "leash");
        thread.setDaemon(true);
        thread.start();
        Method main = Class.forName(arguments[0]).getDeclaredMethod("main", String[].class);
        main.setAccessible(true);
        main.invoke(null, (Object) Arrays.copyOfRange(arguments, 1, arguments.length));
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
