package io.counters.collector.commands;

import io.counters.collector.fleet.LedgerImport;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.SettingFlags;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code import}: carries an embedded ledger over to a fleet. */
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Carries the ledger of one collector over to a fleet, so that counting goes on there: values, senders and their"
                    + " totals, and the seconds that points were published for.",
            "The collector and all collectors of the fleet must be stopped. A ledger is imported once. If the import is"
                    + " interrupted, run it again, and it goes on where it ended."
        })
public final class Import implements Callable<Integer> {
    private static final CollectorFlag[] SETTINGS = {
        CollectorFlag.KAFKA_SETTINGS,
        CollectorFlag.PREFIX,
        CollectorFlag.FLEET_PARTITIONS,
        CollectorFlag.SPOOL,
        CollectorFlag.NAMES_MEMORY,
        CollectorFlag.STREAMS_MEMORY,
        CollectorFlag.CONFIG
    };

    @Option(
            names = "--from",
            paramLabel = "DATA_DIR",
            required = true,
            description = "data folder of the collector; its ledger is read and not changed")
    private @Nullable Path from;

    @Option(
            names = "--add",
            description = "adds to the counters that the fleet has already; without it, the fleet must not have any")
    private boolean adds;

    @Spec
    private @Nullable CommandSpec spec;

    private final Map<String, String> environment;
    private final Shell shell;
    private final InstantSource clock;
    private final RandomGenerator random;

    private Import(Map<String, String> environment, Shell shell, InstantSource clock, RandomGenerator random) {
        this.environment = environment;
        this.shell = shell;
        this.clock = clock;
        this.random = random;
    }

    /**
     * Creates the command, with flags for the settings that it uses.
     *
     * @param random a secure source
     */
    public static CommandLine line(
            Map<String, String> environment, Shell shell, InstantSource clock, RandomGenerator random) {
        CommandLine line = new CommandLine(new Import(environment, shell, clock, random));
        SettingFlags.addTo(
                line.getCommandSpec(),
                CollectorFlag.LEDGER,
                "the fleet's Kafka, kafka://HOST:PORT,HOST:PORT (required)");
        SettingFlags.addTo(line.getCommandSpec(), SETTINGS);
        return line;
    }

    @Override
    public Integer call() throws SettingsException, IOException {
        Map<CollectorFlag, String> flags =
                SettingFlags.of(Objects.requireNonNull(spec).commandLine().getParseResult());
        LedgerImport ledger = new LedgerImport(
                new Settings(flags, environment), Runtime.getRuntime().maxMemory(), clock, shell.nanoClock(), random);
        shell.out().println("imported " + ledger.run(Objects.requireNonNull(from), adds));
        return 0;
    }
}
