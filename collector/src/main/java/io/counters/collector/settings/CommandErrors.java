package io.counters.collector.settings;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/**
 * Prints why a command failed, one line for each error, and chooses the exit status: 2 for an error in the command line or
 * the settings, 1 if the command could not do its work.
 */
public final class CommandErrors
        implements CommandLine.IParameterExceptionHandler, CommandLine.IExecutionExceptionHandler {
    private static final int EXIT_USAGE = 2;
    private static final int EXIT_CANNOT = 1;

    private final PrintStream err;

    public CommandErrors(PrintStream err) {
        this.err = err;
    }

    @Override
    public int handleParseException(CommandLine.ParameterException wrong, String[] args) {
        CommandLine line = wrong.getCommandLine();
        String prefix = "counters " + name(line) + ": ";
        Optional<CollectorFlag> secret = SettingFlags.secret(args);
        if (secret.isPresent()) {
            // The parser's message is not shown, because it contains the secret.
            err.println(prefix + "there is no flag --" + secret.get().flag()
                    + ", because other users could see it; set the variable "
                    + secret.get().variable());
            return EXIT_USAGE;
        }
        err.println(prefix + text(wrong));
        if (wrong instanceof CommandLine.UnmatchedArgumentException unmatched && unmatched.isUnknownOption()) {
            CommandLine.UnmatchedArgumentException.printSuggestions(wrong, err);
        }
        err.println(
                line.getParent() == null && !line.getSubcommands().isEmpty()
                        ? "--help lists all settings and commands"
                        : line.getCommandSpec().qualifiedName() + " --help lists its flags");
        return EXIT_USAGE;
    }

    /** The problem, without words that are not flags: they may be the value of a mistyped password flag. */
    private static String text(CommandLine.ParameterException wrong) {
        if (!(wrong instanceof CommandLine.UnmatchedArgumentException unmatched)) {
            return String.valueOf(wrong.getMessage());
        }
        String flags = unmatched.getUnmatched().stream()
                .filter(word -> word.startsWith("-"))
                .map(word -> word.replaceFirst("=.*", ""))
                .collect(Collectors.joining(", "));
        if (!flags.isEmpty()) {
            return "there is no flag " + flags
                    + Stream.of(flags.split(", "))
                            .flatMap(flag -> Settings.successor(flag).stream())
                            .findFirst()
                            .map(now -> " any more; " + now)
                            .orElse("");
        }
        String commands = wrong.getCommandLine().getSubcommands().entrySet().stream()
                .filter(command ->
                        !command.getValue().getCommandSpec().usageMessage().hidden())
                .map(Map.Entry::getKey)
                .collect(Collectors.joining(", "));
        return commands.isEmpty()
                ? "there are arguments that are not flags"
                : "there are arguments that are neither flags nor a command; the commands are " + commands;
    }

    @Override
    public int handleExecutionException(Exception failure, CommandLine line, ParseResult given) {
        List<String> said = failure instanceof SettingsException mistakes
                ? mistakes.mistakes()
                : List.of(failure.getMessage() == null ? failure.toString() : failure.getMessage());
        said.forEach(text -> err.println("counters " + name(line) + ": " + text));
        return failure instanceof IOException ? EXIT_CANNOT : EXIT_USAGE;
    }

    /** The command directly below the program's own, or "collector" for that one. */
    private static String name(CommandLine line) {
        CommandLine command = line;
        while (command.getParent() != null && command.getParent().getParent() != null) {
            command = command.getParent();
        }
        return command.getCommandName().contains(" ") ? "collector" : command.getCommandName();
    }
}
