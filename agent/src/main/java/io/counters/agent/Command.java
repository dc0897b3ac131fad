package io.counters.agent;

import java.io.File;
import java.io.PrintStream;
import java.util.Arrays;

/** What counters.jar does when it is run from a shell, where it is no agent. */
public final class Command {
    private static final int USAGE_STATUS = 2;

    private static final String USAGE = "usage: java -jar counters.jar COMMAND\n"
            + "\n"
            + "  list APP [SETTINGS]     what will be counted in a jar, a war or a folder, and what will not, and why\n"
            + "  attach PID [SETTINGS]   starts the agent in a JVM that runs already; settings as behind -javaagent,\n"
            + "                          paths in them as that JVM sees them\n"
            + "  version\n"
            + "  help\n"
            + "\n"
            + "As an agent: java -javaagent:counters.jar=collector=HOST:PORT ...";

    private Command() {}

    /**
     * Does what the arguments say.
     *
     * @param jar counters.jar itself
     * @return the exit status: 0, or 1 when it could not be done, or 2 when the arguments make no command
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
        err.println(
                command.equals("attach") ? "attach takes a process id, and settings in one word" : unknown(command));
        err.println(USAGE);
        return USAGE_STATUS;
    }

    private static String unknown(String command) {
        return command.isEmpty() ? "what is to be done?" : command + " is no command";
    }
}
