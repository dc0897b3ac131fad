package io.counters.agent;

import java.io.File;
import java.io.PrintStream;
import java.util.jar.JarFile;

/** The main class of {@code java -jar counters.jar}: calls {@code Command} by name. */
public final class Main {
    private Main() {}

    /** Runs the command and exits with its status. */
    public static void main(String[] arguments) throws Exception {
        File jar = new File(
                Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Object status = Class.forName("io.counters.agent.Command", true, new AgentLoader(new JarFile(jar)))
                .getMethod("run", String[].class, File.class, PrintStream.class, PrintStream.class)
                .invoke(null, arguments, jar, System.out, System.err);
        System.exit((Integer) status);
    }
}
