package io.counters.agent;

import java.io.File;
import java.io.PrintStream;
import java.util.jar.JarFile;

/** The door of the shell, {@code java -jar counters.jar}: hands over to {@code Command} by name. */
public final class Main {
    private Main() {}

    /** Ends the JVM with the command's status. */
    public static void main(String[] arguments) throws Exception {
        File jar = new File(
                Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Object status = Class.forName("io.counters.agent.Command", true, new AgentLoader(new JarFile(jar)))
                .getMethod("run", String[].class, File.class, PrintStream.class, PrintStream.class)
                .invoke(null, arguments, jar, System.out, System.err);
        System.exit((Integer) status);
    }
}
