package io.counters.collector.backup;

import io.counters.collector.commands.Shell;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code backup DIR}: copies the ledger and the history of a collector that runs. */
@Command(
        name = "backup",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Copies the ledger and the history of a collector, which may run and count meanwhile, and checks the copy.",
            "DIR is created. Until the copy is complete and on disk, it is named DIR.part.",
            "Run it as the collector's user, on its machine."
        })
public final class Backup implements Callable<Integer> {
    @Parameters(paramLabel = "DIR", description = "the backup: a folder that does not exist yet")
    private @Nullable Path to;

    @Spec
    private @Nullable CommandSpec spec;

    private final Map<String, String> environment;
    private final Shell shell;

    private Backup(Map<String, String> environment, Shell shell) {
        this.environment = environment;
        this.shell = shell;
    }

    /** Creates the command, with flags for the settings that it uses. */
    public static CommandLine line(Map<String, String> environment, Shell shell) {
        return DataFolder.addFlags(new CommandLine(new Backup(environment, shell)));
    }

    @Override
    public Integer call() throws SettingsException, IOException {
        Path data = DataFolder.of(Objects.requireNonNull(spec), environment);
        BackupFolder backup = new BackupFolder(Objects.requireNonNull(to));
        BackupFolder.Written written = backup.write(data);
        shell.out()
                .println("backed up " + data + " to " + backup + ": " + written.ledger() + "; bytes: " + written.bytes()
                        + (written.hasHistory() ? ", with the history" : ", there is no history"));
        shell.out()
                .println("not in it: settings, and the spool, whose points are sent without it or will be missing from"
                        + " graphs; counts are unaffected");
        return 0;
    }
}
