package io.counters.collector.backup;

import io.counters.collector.commands.Shell;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
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
            "DIR is created. Until the copy is complete and on disk, it is named DIR.part-1.",
            "If only the history cannot be copied, the backup has the ledger, and the exit status is 3.",
            "Run it as the collector's user, on its machine."
        })
public final class Backup implements Callable<Integer> {
    /** The exit status of a backup, or a restore, that is complete but for the history. */
    static final int WITHOUT_HISTORY = 3;

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
        BackupFolder.Written written = watched(backup, data);
        shell.out()
                .println("backed up " + data + " to " + backup + ": " + written.ledger() + "; bytes: " + written.bytes()
                        + (written.hasHistory()
                                ? ", with the history"
                                : written.problem() == null ? ", there is no history" : ", without the history"));
        shell.out()
                .println("not in it: settings, and the spool, whose points are sent without it or will be missing from"
                        + " graphs; counts are unaffected");
        if (written.problem() != null) {
            shell.err()
                    .println("the backup is complete but for the history, which is for graphs only: "
                            + written.problem());
            return WITHOUT_HISTORY;
        }
        return 0;
    }

    /** Ends the process if it costs the collector too much disk. */
    private BackupFolder.Written watched(BackupFolder backup, Path data) throws IOException {
        if (!Files.isDirectory(data)) {
            return backup.write(data);
        }
        LogWatch watch = new LogWatch(data, Files.getFileStore(data).getUsableSpace(), message -> {
            shell.err().println(message);
            Runtime.getRuntime().halt(1);
        });
        ScheduledExecutorService watching = Executors.newSingleThreadScheduledExecutor(work -> {
            Thread thread = new Thread(work, "counters-backup-watch");
            thread.setDaemon(true);
            return thread;
        });
        try {
            var unused = watching.scheduleAtFixedRate(watch::look, 1, 1, TimeUnit.SECONDS);
            return backup.write(data);
        } finally {
            watching.shutdownNow();
        }
    }
}
