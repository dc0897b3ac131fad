package io.counters.collector;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts child processes that ignore no signal which the tests send. A child ignores what its parent ignores: SIGHUP under
 * nohup, SIGINT in the background of a script.
 */
public final class DefaultSignals {
    private static final List<String> RESET = List.of("env", "--default-signal=HUP,INT,TERM");
    private static final boolean AVAILABLE = isAvailable();

    private DefaultSignals() {}

    /** The command, after what resets its signals. Where env cannot do that, it is the command alone. */
    public static List<String> command(List<String> command) {
        if (!AVAILABLE) {
            return command;
        }
        List<String> whole = new ArrayList<>(RESET);
        whole.addAll(command);
        return whole;
    }

    /** Whether there is GNU env 8.31 or newer. */
    private static boolean isAvailable() {
        List<String> nothing = new ArrayList<>(RESET);
        nothing.add("true");
        try {
            return new ProcessBuilder(nothing).start().waitFor() == 0;
        } catch (IOException noEnv) {
            return false;
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
