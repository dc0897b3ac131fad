package io.counters.opentsdb;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.Arrays;

/**
 * Runs another program in this JVM and halts it once the standard input has come to its end, which the death of the one
 * that started it brings about too: no killed test leaves a server behind.
 */
public final class Leash {
    private Leash() {}

    /**
     * Runs the other program's {@code main} and returns when that does.
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
                // Nothing is said to it.
            }
        } catch (IOException broken) {
            // An end like any other.
        }
        Runtime.getRuntime().halt(0);
    }
}
