package io.counters.collector;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.backup.Backup;
import io.counters.collector.backup.Restore;
import io.counters.collector.commands.Get;
import io.counters.collector.commands.Import;
import io.counters.collector.commands.Record;
import io.counters.collector.commands.Remove;
import io.counters.collector.commands.Replay;
import io.counters.collector.commands.Shell;
import io.counters.collector.commands.ShellCompletion;
import io.counters.collector.commands.TapCommand;
import io.counters.collector.commands.Top;
import io.counters.collector.common.LogStream;
import io.counters.collector.common.Threads;
import io.counters.collector.doctor.Doctor;
import io.counters.collector.proxy.ProxyCommand;
import io.counters.collector.proxy.ProxyIni;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.CommandErrors;
import io.counters.collector.settings.SettingFlags;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.simulate.Simulate;
import io.counters.collector.supervisor.Supervisor;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.channels.Channel;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** {@code java -jar collector.jar}: reads the command line, and runs a collector until SIGTERM or Ctrl-C. */
public final class Main {
    private static final long LAST_LINES_MILLIS = 1_000;
    private static final long START_SECONDS_MAX = 10;

    /** After an orderly end whose last commit failed, so that counts are not on disk. */
    private static final int EXIT_UNCOMMITTED = 4;

    private Main() {}

    public static void main(String[] args) {
        System.setErr(new LogStream(new FileOutputStream(FileDescriptor.err), System::nanoTime, Main::logThread));
        // By TLS 1.2 a client could otherwise demand one costly handshake after the other on a connection.
        System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
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
        return commandLine(environment, System.in, out, err).execute(args);
    }

    /** The collector itself: what starts without a command. */
    @Command(
            name = "java -jar collector.jar",
            mixinStandardHelpOptions = true,
            versionProvider = Version.class,
            sortOptions = false,
            synopsisSubcommandLabel = "[COMMAND]",
            description = {
                "Receives increments and decrements over UDP and TCP, keeps exact counters, and publishes them.",
                "Every setting is also a variable (COUNTERS_UDP_PORT) and a key of the INI file (udp_port);"
                        + " a flag takes precedence over a variable, and a variable over the file."
            },
            commandListHeading = "Commands, each with its own --help:%n")
    private static final class Start implements Callable<Integer> {
        private final Map<String, String> environment;
        private final PrintStream out;

        @Spec
        private @Nullable CommandSpec spec;

        Start(Map<String, String> environment, PrintStream out) {
            this.environment = environment;
            this.out = out;
        }

        @Override
        public Integer call() throws SettingsException, IOException {
            Map<CollectorFlag, String> flags =
                    SettingFlags.of(Objects.requireNonNull(spec).commandLine().getParseResult());
            Hangup hangup = Hangup.taken();
            Supervisor supervisor = supervisor(environment);
            Collector collector =
                    started(Main::end, () -> new Collector(new Settings(flags, environment), supervisor, out));
            hangup.calls(() -> collector.lookAgain(() -> new Settings(flags, environment)));
            return 0;
        }
    }

    private static Supervisor supervisor(Map<String, String> environment) {
        Channel standardInput;
        try {
            standardInput = System.inheritedChannel();
        } catch (IOException noneOfOurs) {
            standardInput = null;
        }
        return Supervisor.of(environment, standardInput, ProcessHandle.current().pid(), System::nanoTime);
    }

    /** For {@code --version}. */
    private static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"counters collector " + (version == null ? "(not packaged)" : version)};
        }
    }

    private static CommandLine commandLine(
            Map<String, String> environment, InputStream in, PrintStream out, PrintStream err) {
        boolean isTerminal = isTerminal();
        Shell shell = new Shell(
                in,
                out,
                err,
                isTerminal,
                isTerminal && environment.getOrDefault("NO_COLOR", "").isEmpty(),
                System::nanoTime,
                Thread::new);
        CommandErrors errors = new CommandErrors(err);
        CommandLine line = new CommandLine(new Start(environment, out));
        SettingFlags.addTo(line.getCommandSpec());
        return line.addSubcommand(new Get(shell))
                .addSubcommand(new Top(shell))
                .addSubcommand(new TapCommand(shell))
                .addSubcommand(new Remove(shell))
                .addSubcommand(new Record(shell))
                .addSubcommand(new Replay(shell))
                .addSubcommand(Import.line(environment, shell, InstantSource.system(), new SecureRandom()))
                .addSubcommand(Backup.line(environment, shell))
                .addSubcommand(Restore.line(environment, shell))
                .addSubcommand(Doctor.line(
                        environment,
                        settings -> CollectorSettings.of(settings).checked(),
                        shell,
                        InstantSource.system()))
                .addSubcommand(ProxyCommand.line(
                        Runtime.getRuntime().maxMemory(),
                        in,
                        out,
                        err,
                        settings -> startProxy(settings, environment, out)))
                .addSubcommand(new Simulate(out, err, System::nanoTime))
                .addSubcommand(new ShellCompletion(shell))
                .setOut(new PrintWriter(out, true, UTF_8))
                .setErr(new PrintWriter(err, true, UTF_8))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionStrategy(Main::execute)
                .setParameterExceptionHandler(errors)
                .setExecutionExceptionHandler(errors);
    }

    /** Since JDK 22 there is a console without a terminal, too. */
    @SuppressWarnings("SystemConsoleNull")
    private static boolean isTerminal() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException olderJdk) {
            return true;
        }
    }

    /** Runs the last command, whose flags must come after it. */
    private static int execute(ParseResult given) {
        if (given.hasSubcommand() && !given.matchedOptions().isEmpty()) {
            String command = given.subcommand().commandSpec().name();
            throw new CommandLine.ParameterException(
                    given.commandSpec().commandLine(),
                    given.matchedOptions().get(0).longestName() + " comes before the command " + command
                            + ", which would ignore it; write the flags of " + command + " after its name");
        }
        return new CommandLine.RunLast().execute(given);
    }

    private static void end(Collector collector) {
        collector.close();
        if (!collector.isCommitted()) {
            LogStream.drain(LAST_LINES_MILLIS);
            Runtime.getRuntime().halt(EXIT_UNCOMMITTED);
        }
    }

    private static void startProxy(ProxyIni settings, Map<String, String> environment, PrintStream out)
            throws IOException {
        // The first logger reads this, and it is created below.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", settings.logLevel());
        Hangup hangup = Hangup.taken();
        Supervisor supervisor = supervisor(environment);
        Proxy proxy = started(Proxy::close, () -> new Proxy(settings, supervisor, out));
        hangup.calls(proxy::reload);
    }

    /** Starts a program. */
    @FunctionalInterface
    private interface Starting<T, E extends Exception> {
        T start() throws E, IOException;
    }

    /**
     * Starts a program, and closes it at SIGTERM, at Ctrl-C, and at any other orderly end of the JVM, even one during the
     * start.
     */
    private static <T, E extends Exception> T started(Consumer<T> close, Starting<T, E> start) throws E, IOException {
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
}
