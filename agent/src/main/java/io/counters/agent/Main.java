package io.counters.agent;

import java.io.File;
import java.io.PrintStream;
import java.util.jar.JarFile;

/** The main class of {@code java -jar counters.jar}, also for build tools, which stay alive: calls {@code Command} by name. */
public final class Main {
    private Main() {}

    /** Runs the command and exits with its status. */
    public static void main(String[] arguments) throws Exception {
        System.exit(run(arguments, System.out, System.err));
    }

    /**
     * Runs the command.
     *
     * @return its exit status: 0, or 1 if the command failed, or 2 if the command line is wrong
     */
    public static int run(String[] arguments, PrintStream out, PrintStream err) throws Exception {
        File file = new File(
                Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (JarFile jar = new JarFile(file)) {
            return (Integer) Class.forName("io.counters.agent.Command", true, new AgentLoader(jar))
                    .getMethod("run", String[].class, File.class, PrintStream.class, PrintStream.class)
                    .invoke(null, arguments, file, out, err);
        }
    }
}
