package io.counters.testsupport;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts child processes that do not ignore the signals which a test sends. A child ignores what its parent ignores: SIGHUP
 * under nohup, SIGINT in the background of a script.
 */
public final class DefaultSignals {
    private static final boolean ENV_RESETS = envResets();

    private DefaultSignals() {}

    /**
     * The command, with a prefix that resets some signals; the process ID is that of the command. Without GNU env 8.31 or
     * newer, this returns the command alone.
     *
     * @param signals such as {@code INT,TERM}; SIGHUP only if the test sends it, because nohup should protect other tests
     */
    public static List<String> command(String signals, List<String> command) {
        if (!ENV_RESETS) {
            return command;
        }
        List<String> whole = new ArrayList<>(List.of("env", "--default-signal=" + signals));
        whole.addAll(command);
        return whole;
    }

    private static boolean envResets() {
        try {
            return new ProcessBuilder("env", "--default-signal=INT", "true")
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException noEnv) {
            return false;
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
