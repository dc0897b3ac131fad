package io.counters.collector.backup;

import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.SettingFlags;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Reads which data folder a command is for, as the collector does. */
final class DataFolder {
    private static final String EMBEDDED = "embedded";

    private DataFolder() {}

    /** Adds the flags that {@link #of} reads. */
    static CommandLine addFlags(CommandLine line) {
        SettingFlags.addTo(
                line.getCommandSpec(),
                CollectorFlag.DATA_DIR,
                "folder of the collector's ledger (default " + CollectorFlag.DATA_DIR.defaultText() + ")");
        SettingFlags.addTo(line.getCommandSpec(), CollectorFlag.CONFIG);
        return line;
    }

    /** @throws SettingsException if the settings have errors, or are those of a fleet */
    static Path of(CommandSpec command, Map<String, String> environment) throws SettingsException {
        Settings settings = new Settings(SettingFlags.of(command.commandLine().getParseResult()), environment);
        Path folder = LedgerSettings.folder(settings);
        if (!settings.get(CollectorFlag.LEDGER, text -> text).equals(EMBEDDED)) {
            settings.refuse(
                    CollectorFlag.LEDGER,
                    "and the ledger of a fleet is in Kafka, not in a data folder; see docs/operations/backup.md, \"A fleet\"");
        }
        settings.check();
        return folder;
    }
}
