package io.counters.agent;

import java.io.File;
import java.io.PrintStream;
import java.util.Arrays;

/** The commands of {@code java -jar counters.jar}. */
public final class Command {
    private static final int USAGE_STATUS = 2;

    private static final String USAGE = "usage: java -jar counters.jar COMMAND\n"
            + "\n"
            + "  list APP [SETTINGS]     prints what will be counted in a jar, a war or a folder, what will not, and why\n"
            + "  weave CLASSES [--class-path PATH] [--run-path PATH] [SETTINGS]\n"
            + "                          inserts the counting calls into class files, which then count without the agent\n"
            + "  attach PID [SETTINGS]   starts the agent in a running JVM\n"
            + "  version                 prints the version\n"
            + "  help                    prints this text\n"
            + "\n"
            + "SETTINGS are those of the agent, such as collector=HOST:PORT,app=shop. With attach, they are one argument,\n"
            + "and paths in them must be valid in the other JVM.\n"
            + "\n"
            + "As an agent: java -javaagent:counters.jar=SETTINGS ...";

    private Command() {}

    /**
     * Runs a command.
     *
     * @param jar counters.jar itself
     * @return the exit status: 0, or 1 if the command failed, or 2 if the command line is wrong
     */
    public static int run(String[] arguments, File jar, PrintStream out, PrintStream err) {
        String command = arguments.length == 0 ? "" : arguments[0].replaceFirst("^--?", "");
        String[] rest = Arrays.copyOfRange(arguments, Math.min(1, arguments.length), arguments.length);
        if (command.equals("help") || command.equals("h")) {
            out.println(USAGE);
            return 0;
        }
        if (command.equals("version")) {
            out.println("counters " + Agent.version());
            return 0;
        }
        if (command.equals("attach") && (rest.length == 1 || rest.length == 2)) {
            return new AttachCommand(jar, out, err).run(rest[0], rest.length == 2 ? rest[1] : "");
        }
        if (command.equals("list")) {
            return ListCommand.run(rest, out, err);
        }
        if (command.equals("weave")) {
            return WeaveCommand.run(rest, out, err);
        }
        err.println(
                command.equals("attach")
                        ? "attach needs a process ID, and accepts settings as one argument"
                        : unknown(command));
        err.println(USAGE);
        return USAGE_STATUS;
    }

    private static String unknown(String command) {
        return command.isEmpty() ? "missing command" : "unknown command: " + command;
    }
}
