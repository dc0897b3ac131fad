package io.counters.collector.doctor;

import com.google.gson.stream.JsonWriter;
import io.counters.collector.access.AccessSettings;
import io.counters.collector.commands.Shell;
import io.counters.collector.common.Descriptors;
import io.counters.collector.dashboard.DashboardSettings;
import io.counters.collector.fleet.FleetSettings;
import io.counters.collector.intake.IntakeSettings;
import io.counters.collector.intake.KeySettings;
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

    /** The settings that are checked further, when all of them have no errors. */
    public record Checked(
            AccessSettings access,
            IntakeSettings taking,
            Optional<KeySettings> keys,
            LedgerSettings keeping,
            StoreSettings storing,
            DashboardSettings showing,
            PublishSettings publishing,
            Optional<FleetSettings> fleet,
            Optional<OtlpSettings> otlp) {}

    /** Reads all settings, exactly as a collector does. */
    @FunctionalInterface
    public interface Reading {
        /**
         * Returns those that are checked further.
         *
         * @throws SettingsException with every error in them
         */
        Checked of(Settings settings) throws SettingsException;
    }

    @Option(names = "--json", description = "prints the checks as JSON")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    private final Map<String, String> environment;
    private final Reading reading;
    private final Shell shell;
    private final InstantSource clock;

    private Doctor(Map<String, String> environment, Reading reading, Shell shell, InstantSource clock) {
        this.environment = environment;
        this.reading = reading;
        this.shell = shell;
        this.clock = clock;
    }

    /** Creates the command, with a flag for each setting. */
    public static CommandLine line(Map<String, String> environment, Reading reading, Shell shell, InstantSource clock) {
        CommandLine line = new CommandLine(new Doctor(environment, reading, shell, clock));
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
        Checks checks = new Checks(clock, shell.nanoClock());
        Checks.Moment begin = checks.now();
        List<Finding> findings = new ArrayList<>();
        try {
            Checked checked = reading.of(settings);
            addRemarks(settings, findings);
            findings.add(Finding.ok("settings", "no errors"));
            addChecks(settings, checked, checks, findings);
            findings.add(Checks.clock(begin, checks.now()));
        } catch (SettingsException mistakes) {
            // Further checks would use the defaults instead of the wrong values, which would mislead.
            addRemarks(settings, findings);
            mistakes.mistakes()
                    .forEach(mistake -> findings.add(Finding.failure("settings", mistake, "then run doctor again")));
        }
        return findings;
    }

    private static void addRemarks(Settings settings, List<Finding> findings) {
        settings.remarks().forEach(remark -> findings.add(Finding.warning("settings", remark, "correct or unset it")));
    }

    private static void addChecks(Settings settings, Checked checked, Checks checks, List<Finding> findings) {
        IntakeSettings taking = checked.taking();
        LedgerSettings keeping = checked.keeping();
        findings.add(Checks.receiveBuffer());
        findings.addAll(new PortChecks(checked.access(), settings.secret(CollectorFlag.TOKEN, CollectorFlag.TOKEN_FILE))
                .findings(taking, checked.showing(), checked.otlp()));
        checked.access()
                .certificate()
                .ifPresent(own -> findings.add(Checks.certificate(
                        own.endsSeconds(), checks.now().wall().getEpochSecond())));
        checked.keys().ifPresent(keys -> findings.add(Checks.keys(keys)));
        findings.add(Checks.descriptors(
                Descriptors.limit(),
                taking.connectionsMax(),
                settings.number(CollectorFlag.CONNECTIONS, 1, CONNECTIONS_MAX)));
        findings.add(Checks.heap(Runtime.getRuntime().maxMemory(), keeping.namesBytes(), keeping.streamsMax()));
        findings.addAll(checks.disk(keeping.folder()));
        findings.addAll(
                checked.fleet().isPresent()
                        ? Checks.fleet(checked.fleet().get())
                        : List.of(Checks.ledger(LedgerInspection.of(keeping.folder()))));
        findings.addAll(checks.store(checked.storing()));
        findings.addAll(checks.sinks(checked.publishing()));
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
