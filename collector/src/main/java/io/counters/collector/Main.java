package io.counters.collector;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.proxy.ProxyCommand;
import io.counters.collector.proxy.ProxySettings;
import io.counters.collector.self.LogStream;
import io.counters.collector.self.Threads;
import io.counters.collector.settings.Setting;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.simulate.Simulate;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** {@code java -jar collector.jar}: reads the command line, and runs a collector until SIGTERM or Ctrl-C. */
public final class Main {
    private static final int EXIT_USAGE = 2;
    private static final int EXIT_CANNOT = 1;
    private static final long LAST_LINES_MILLIS = 1_000;
    private static final long START_SECONDS_MAX = 10;

    /** After an orderly end whose last commit failed, so that counts are not on disk. */
    private static final int EXIT_UNCOMMITTED = 4;

    private Main() {}

    public static void main(String[] args) {
        System.setErr(new LogStream(new FileOutputStream(FileDescriptor.err), System::nanoTime, Main::logThread));
        // If the start fails after it has started threads, the process must end.
        Thread.currentThread().setUncaughtExceptionHandler(new Threads());
        int status = run(args, System.getenv(), System.out, System.err);
        LogStream.drain(LAST_LINES_MILLIS);
        if (status != 0) {
            System.exit(status);
        }
    }

    private static Thread logThread(Runnable work) {
        Thread thread = new Thread(work, "counters-log");
        thread.setDaemon(true);
        return thread;
    }

    /** Runs the command that the arguments name; returns its exit status, or 0 for a collector or proxy that runs. */
    static int run(String[] args, Map<String, String> environment, PrintStream out, PrintStream err) {
        if (args.length > 0 && args[0].equals("simulate")) {
            return new CommandLine(new Simulate(out, System::nanoTime))
                    .setOut(new PrintWriter(out, true, UTF_8))
                    .setErr(new PrintWriter(err, true, UTF_8))
                    .setExecutionExceptionHandler((wrong, command, given) -> {
                        err.println("counters simulate: " + wrong.getMessage());
                        return EXIT_USAGE;
                    })
                    .execute(Arrays.copyOfRange(args, 1, args.length));
        }
        if (args.length > 0 && args[0].equals("proxy")) {
            return ProxyCommand.line(
                            Runtime.getRuntime().maxMemory(),
                            System.in,
                            out,
                            err,
                            settings -> startProxy(settings, out))
                    .setOut(new PrintWriter(out, true, UTF_8))
                    .setErr(new PrintWriter(err, true, UTF_8))
                    .execute(Arrays.copyOfRange(args, 1, args.length));
        }
        CommandSpec spec = spec();
        ParseResult given;
        try {
            given = new CommandLine(spec).parseArgs(args);
        } catch (CommandLine.ParameterException wrong) {
            Optional<Setting> secret = secret(args);
            if (secret.isPresent()) {
                // The parser's message is not shown, because it contains the secret.
                err.println("counters collector: there is no flag --"
                        + secret.get().flag() + ", because other users could see it; set the variable "
                        + secret.get().variable());
                return EXIT_USAGE;
            }
            err.println("counters collector: " + text(wrong));
            CommandLine.UnmatchedArgumentException.printSuggestions(wrong, err);
            err.println("--help lists all settings");
            return EXIT_USAGE;
        }
        if (given.isUsageHelpRequested()) {
            spec.commandLine().usage(out);
            return 0;
        }
        if (given.isVersionHelpRequested()) {
            spec.commandLine().printVersionHelp(out);
            return 0;
        }
        Map<Setting, String> flags = new EnumMap<>(Setting.class);
        for (Setting setting : Setting.values()) {
            String text = given.matchedOptionValue("--" + setting.flag(), null);
            if (text != null) {
                flags.put(setting, text);
            }
        }
        try {
            Hangup hangup = Hangup.taken();
            Collector collector = started(Main::end, () -> new Collector(new Settings(flags, environment), out));
            hangup.calls(() -> collector.lookAgain(new Settings(flags, environment)));
            return 0;
        } catch (SettingsException mistakes) {
            mistakes.mistakes().forEach(mistake -> err.println("counters collector: " + mistake));
            return EXIT_USAGE;
        } catch (IOException cannot) {
            err.println("counters collector: " + cannot.getMessage());
            return EXIT_CANNOT;
        }
    }

    private static void end(Collector collector) {
        collector.close();
        if (!collector.isCommitted()) {
            LogStream.drain(LAST_LINES_MILLIS);
            Runtime.getRuntime().halt(EXIT_UNCOMMITTED);
        }
    }

    private static void startProxy(ProxySettings settings, PrintStream out) throws IOException {
        // The first logger reads this, and it is created below.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", settings.logLevel());
        Hangup hangup = Hangup.taken();
        Proxy proxy = started(Proxy::close, () -> new Proxy(settings, out));
        hangup.calls(proxy::reload);
    }

    /** Starts a program. */
    @FunctionalInterface
    private interface Start<T, E extends Exception> {
        T start() throws E, IOException;
    }

    /**
     * Starts a program, and closes it at SIGTERM, at Ctrl-C, and at any other orderly end of the JVM, even one during the
     * start.
     */
    private static <T, E extends Exception> T started(Consumer<T> close, Start<T, E> start) throws E, IOException {
        CompletableFuture<T> program = new CompletableFuture<>();
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            try {
                                close.accept(program.get(START_SECONDS_MAX, TimeUnit.SECONDS));
                            } catch (InterruptedException | ExecutionException | TimeoutException notStarted) {
                                // There is nothing to close.
                            }
                            LogStream.drain(LAST_LINES_MILLIS);
                        },
                        "counters-end"));
        try {
            T started = start.start();
            program.complete(started);
            return started;
        } catch (Throwable cannot) {
            program.completeExceptionally(cannot);
            throw cannot;
        }
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
        return flags.isEmpty()
                ? "unknown argument; write settings as flags, such as --udp-port 11212"
                : "unknown flag: " + flags;
    }

    /** The secret setting that was given as a flag, if any. */
    private static Optional<Setting> secret(String[] args) {
        return Arrays.stream(Setting.values())
                .filter(Setting::isSecret)
                .filter(setting ->
                        Arrays.stream(args).anyMatch(arg -> (arg + "=").startsWith("--" + setting.flag() + "=")))
                .findFirst();
    }

    private static CommandSpec spec() {
        String version = Main.class.getPackage().getImplementationVersion();
        CommandSpec spec = CommandSpec.create()
                .name("java -jar collector.jar")
                .version("counters collector " + (version == null ? "(not packaged)" : version))
                .mixinStandardHelpOptions(true);
        spec.usageMessage()
                .description(
                        "Receives increments and decrements over UDP and TCP, keeps exact counters, and publishes them.",
                        "Every setting is also a variable (COUNTERS_UDP_PORT) and a key of the INI file (udp_port);"
                                + " a flag takes precedence over a variable, and a variable over the file.",
                        "'proxy' as the first argument starts a proxy for several servers; see 'proxy --help'.",
                        "'simulate' as the first argument tests the protocol in a simulation; see 'simulate --help'.")
                .sortOptions(false);
        for (Setting setting : Setting.values()) {
            if (setting.isSecret()) {
                continue;
            }
            String shown = setting.defaultText().isEmpty() ? "" : " (default " + setting.defaultText() + ")";
            spec.addOption(OptionSpec.builder("--" + setting.flag())
                    .type(String.class)
                    .paramLabel(setting.name())
                    .description((setting.purpose() + shown).replace("%", "%%"))
                    .build());
        }
        return spec;
    }
}
