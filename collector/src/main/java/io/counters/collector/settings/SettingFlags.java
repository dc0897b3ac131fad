package io.counters.collector.settings;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The settings as flags of a command. A secret setting has none, because every user of the machine can see flags. */
public final class SettingFlags {
    private SettingFlags() {}

    /** Adds a flag for each setting. */
    public static void addTo(CommandSpec command) {
        addTo(command, CollectorFlag.values());
    }

    /** Adds a flag for each of these settings. */
    public static void addTo(CommandSpec command, CollectorFlag... some) {
        for (CollectorFlag setting : some) {
            if (setting.isSecret()) {
                continue;
            }
            String shown = setting.defaultText().isEmpty() ? "" : " (default " + setting.defaultText() + ")";
            addTo(command, setting, setting.purpose() + shown);
        }
    }

    /** Adds a flag for a setting that has another meaning, or another default, for this command. */
    public static void addTo(CommandSpec command, CollectorFlag setting, String description) {
        command.addOption(OptionSpec.builder("--" + setting.flag())
                .type(String.class)
                .paramLabel(setting.name())
                .description(description.replace("%", "%%"))
                .build());
    }

    /** The settings that the command line contains. */
    public static Map<CollectorFlag, String> of(ParseResult given) {
        Map<CollectorFlag, String> flags = new EnumMap<>(CollectorFlag.class);
        for (CollectorFlag setting : CollectorFlag.values()) {
            String text = given.matchedOptionValue("--" + setting.flag(), null);
            if (text != null) {
                flags.put(setting, text);
            }
        }
        return flags;
    }

    /** The secret setting that was given as a flag, if any. */
    public static Optional<CollectorFlag> secret(String... args) {
        return Arrays.stream(CollectorFlag.values())
                .filter(CollectorFlag::isSecret)
                .filter(setting ->
                        Arrays.stream(args).anyMatch(arg -> (arg + "=").startsWith("--" + setting.flag() + "=")))
                .findFirst();
    }
}
