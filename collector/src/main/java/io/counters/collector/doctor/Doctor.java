package io.counters.collector.doctor;

import com.google.gson.stream.JsonWriter;
import io.counters.collector.access.AccessSettings;
import io.counters.collector.commands.Shell;
import io.counters.collector.common.Descriptors;
import io.counters.collector.dashboard.DashboardSettings;
import io.counters.collector.fleet.FleetSettings;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.intake.IntakeSettings;
import io.counters.collector.intake.UnixSettings;
import io.counters.collector.ledger.LedgerInspection;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.otlp.OtlpSettings;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.SettingFlags;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.store.StoreSettings;
import java.io.IOException;
import java.io.StringWriter;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code doctor}: checks what a collector with these settings needs. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Checks what a collector with these settings needs: the receive buffer, ports, clock, disk, ledger or Kafka,"
                    + " memory, store and sinks. Prints a line for each check, and the remedy for each problem.",
            "Give it the flags, the environment and the -Xmx of the collector. The collector may be running.",
            "The exit status is 0 if all is well, 1 after warnings, 2 after failures."
        })
public final class Doctor implements Callable<Integer> {
    private static final int CONNECTIONS_MAX = 1_000_000;

    @Option(names = "--json", description = "prints the checks as JSON")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    private final Map<String, String> environment;
    private final Shell shell;
    private final InstantSource clock;

    private Doctor(Map<String, String> environment, Shell shell, InstantSource clock) {
        this.environment = environment;
        this.shell = shell;
        this.clock = clock;
    }

    /** Creates the command, with a flag for each setting. */
    public static CommandLine line(Map<String, String> environment, Shell shell, InstantSource clock) {
        CommandLine line = new CommandLine(new Doctor(environment, shell, clock));
        SettingFlags.addTo(line.getCommandSpec());
        return line;
    }

    @Override
    public Integer call() throws IOException {
        Map<CollectorFlag, String> flags =
                SettingFlags.of(Objects.requireNonNull(spec).commandLine().getParseResult());
        List<Finding> findings = findings(new Settings(flags, environment));
        if (json) {
            shell.out().println(json(findings));
        } else {
            findings.forEach(this::print);
        }
        return findings.stream()
                .mapToInt(finding -> finding.level().exitStatus())
                .max()
                .orElse(0);
    }

    private List<Finding> findings(Settings settings) {
        long heapBytes = Runtime.getRuntime().maxMemory();
        Checks checks = new Checks(clock, shell.nanoClock());
        Checks.Moment begin = checks.now();
        List<Finding> findings = new ArrayList<>();
        AccessSettings access = AccessSettings.from(settings);
        IntakeSettings taking = IntakeSettings.from(settings, access);
        LedgerSettings keeping = LedgerSettings.from(settings, heapBytes);
        StoreSettings storing = StoreSettings.from(settings);
        DashboardSettings showing = DashboardSettings.from(settings, access, heapBytes);
        PublishSettings publishing = PublishSettings.from(settings);
        UnixSettings.from(settings);
        Optional<FleetSettings> fleet = FleetSettings.from(settings, publishing.spoolBytes());
        HistorySettings.from(
                settings, keeping.folder(), heapBytes, publishing.interval().toSeconds());
        Optional<OtlpSettings> otlp = OtlpSettings.from(settings, taking, access, heapBytes);
        settings.remarks().forEach(remark -> findings.add(Finding.warning("settings", remark, "correct or unset it")));
        int connections = settings.number(CollectorFlag.CONNECTIONS, 1, CONNECTIONS_MAX);
        try {
            settings.check();
            findings.add(Finding.ok("settings", "no errors"));
        } catch (SettingsException mistakes) {
            // Further checks would use the defaults instead of the wrong values, which would mislead.
            mistakes.mistakes()
                    .forEach(mistake -> findings.add(Finding.failure("settings", mistake, "then run doctor again")));
            return findings;
        }
        findings.add(Checks.receiveBuffer());
        findings.addAll(new PortChecks(access, settings.secret(CollectorFlag.TOKEN, CollectorFlag.TOKEN_FILE))
                .findings(taking, showing, otlp));
        access.certificate()
                .ifPresent(own -> findings.add(Checks.certificate(own.endsSeconds(), clock.millis() / 1000)));
        findings.add(Checks.descriptors(Descriptors.limit(), taking.connectionsMax(), connections));
        findings.add(Checks.heap(heapBytes, keeping.namesBytes(), keeping.streamsMax()));
        findings.addAll(checks.disk(keeping.folder()));
        findings.addAll(
                fleet.isPresent()
                        ? Checks.fleet(fleet.get())
                        : List.of(Checks.ledger(LedgerInspection.of(keeping.folder()))));
        findings.addAll(checks.store(storing));
        findings.addAll(checks.sinks(publishing));
        findings.add(Checks.clock(begin, checks.now()));
        return findings;
    }

    private void print(Finding finding) {
        Shell.Color color = switch (finding.level()) {
            case OK -> Shell.Color.GREEN;
            case WARN -> Shell.Color.YELLOW;
            case FAIL -> Shell.Color.RED;
        };
        shell.out()
                .println(shell.in(color, String.format(Locale.ROOT, "%-4s", finding.level()))
                        + String.format(Locale.ROOT, "  %-17s  ", finding.what())
                        + finding.found()
                        + (finding.remedy().isEmpty() ? "" : "; remedy: " + finding.remedy()));
    }

    private static String json(List<Finding> findings) throws IOException {
        StringWriter text = new StringWriter();
        JsonWriter writer = new JsonWriter(text);
        writer.beginObject().name("checks").beginArray();
        for (Finding finding : findings) {
            writer.beginObject().name("level").value(finding.level().toString());
            writer.name("what").value(finding.what());
            writer.name("found").value(finding.found());
            writer.name("remedy").value(finding.remedy()).endObject();
        }
        writer.endArray().endObject();
        return text.toString();
    }
}
