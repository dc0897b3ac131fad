package io.counters.collector.backup;

import io.counters.collector.commands.Shell;
import io.counters.collector.ledger.RestoredFile;
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

/** {@code restore DIR}: puts a backup in the place of a ledger that is lost. */
@Command(
        name = "restore",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Checks a backup and puts it into the data folder of a collector that is stopped. A ledger that is there is kept"
                    + " under another name. If it is interrupted, run it again.",
            "Afterwards start the collector: what senders with totals have counted since the backup comes back with their"
                    + " next totals; what others have counted since is lost."
        })
public final class Restore implements Callable<Integer> {
    @Parameters(paramLabel = "DIR", description = "the backup, a folder that the command backup has written")
    private @Nullable Path from;

    @Spec
    private @Nullable CommandSpec spec;

    private final Map<String, String> environment;
    private final Shell shell;

    private Restore(Map<String, String> environment, Shell shell) {
        this.environment = environment;
        this.shell = shell;
    }

    /** Creates the command, with flags for the settings that it uses. */
    public static CommandLine line(Map<String, String> environment, Shell shell) {
        return DataFolder.addFlags(new CommandLine(new Restore(environment, shell)));
    }

    @Override
    public Integer call() throws SettingsException, IOException {
        Path data = DataFolder.of(Objects.requireNonNull(spec), environment);
        BackupFolder backup = new BackupFolder(Objects.requireNonNull(from));
        BackupFolder.Restored restored = backup.restore(data);
        shell.out().println("restored " + backup + " to " + data + ": " + restored.ledger() + restored.history());
        if (restored.aside() != null) {
            shell.out()
                    .println("the ledger that was there is kept as " + restored.aside()
                            + "; delete it once the values are right");
        }
        shell.out()
                .println(
                        "start the collector now; what senders without totals have counted since that commit, and senders"
                                + " that ended since, is lost");
        if (RestoredFile.isOfRoot(data)) {
            shell.out()
                    .println(
                            "the files belong to root, as their folder does; if the collector has another user: chown -R USER "
                                    + data);
        }
        if (restored.problem() != null) {
            shell.err()
                    .println(
                            "the ledger is restored, the history is not; it is for graphs only: " + restored.problem());
            return Backup.WITHOUT_HISTORY;
        }
        return 0;
    }
}
