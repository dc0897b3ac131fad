package io.counters.agent.settings;

import io.counters.wire.EditDistance;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** The values of all sources as they are written, and a message for each part that cannot be read. */
final class Sources {
    private static final String BYTE_ORDER_MARK = "\uFEFF";
    private static final String NOTHING_IS_COUNTED = ". Nothing is counted, because the file may name the collector";

    final Map<Key, SettingValue> values = new EnumMap<>(Key.class);
    final List<String> complaints = new ArrayList<>();

    /** Whether the settings file cannot be read although it may contain the collector. */
    boolean collectorMissed;

    private Sources() {}

    /** Reads all sources except the file, which {@link #withFile} adds each time it changes. */
    static Sources read(@Nullable String arguments, Properties properties, Map<String, String> environment) {
        Sources sources = new Sources();
        sources.takeArguments(arguments == null ? "" : arguments);
        for (Key key : Key.values()) {
            String property = "counters." + key.word();
            sources.takeIfNew(key, "system property " + property, properties.getProperty(property));
        }
        sources.complainOfNearMisses(properties);
        for (Key key : Key.values()) {
            String variable = "COUNTERS_" + key.name();
            sources.takeIfNew(key, "environment variable " + variable, environment.get(variable));
        }
        return sources;
    }

    /** An application may have its own properties with our prefix, so only those similar to one of our keys are reported. */
    private void complainOfNearMisses(Properties properties) {
        for (String property : properties.stringPropertyNames()) {
            String word = property.startsWith("counters.") ? property.substring("counters.".length()) : "";
            if (!word.isEmpty() && Key.of(word) == null) {
                String nearest = Key.nearest(word);
                if (EditDistance.of(word, nearest) <= 2) {
                    complaints.add("system property " + property + " is not a setting; did you mean -Dcounters."
                            + nearest + "=...?");
                }
            }
        }
    }

    /** Adds, for keys that have no value yet, those that the settings file has now. */
    Sources withFile() {
        Sources all = new Sources();
        all.complaints.addAll(complaints);
        SettingValue file = values.get(Key.SETTINGS);
        if (file != null) {
            all.takeFile(file, values.containsKey(Key.COLLECTOR));
        }
        all.values.putAll(values);
        return all;
    }

    private void takeArguments(String arguments) {
        boolean quoted = false;
        int begin = 0;
        for (int i = 0; i <= arguments.length(); i++) {
            if (i == arguments.length() || (arguments.charAt(i) == ',' && !quoted)) {
                takeLine(
                        "agent arguments",
                        arguments.substring(begin, i),
                        " (enclose a value that contains commas in '...')");
                begin = i + 1;
            } else if (arguments.charAt(i) == '\'') {
                quoted = !quoted;
            }
        }
        if (quoted) {
            complaints.add("agent arguments: a ' is not closed; everything after it was read as one value");
        }
    }

    private void takeFile(SettingValue file, boolean collectorKnown) {
        try {
            String text = text(Files.readAllBytes(Paths.get(file.text())));
            if (text.indexOf(0) >= 0) {
                complaints.add(file.place() + ": settings is " + file.text() + ", which is not UTF-8 text, because it"
                        + " contains zero bytes; save it as UTF-8"
                        + (collectorKnown ? "" : NOTHING_IS_COUNTED));
                collectorMissed = !collectorKnown;
                return;
            }
            String[] lines = text.split("\r?\n", -1);
            for (int i = 0; i < lines.length; i++) {
                if (!lines[i].trim().startsWith("#")) {
                    takeLine(file.text() + " line " + (i + 1), lines[i], "");
                }
            }
        } catch (IOException | InvalidPathException cannot) {
            complaints.add(file.place() + ": settings is " + file.text()
                    + ", which cannot be read; name a file that this process can read"
                    + (collectorKnown ? "" : NOTHING_IS_COUNTED));
            collectorMissed = !collectorKnown;
        }
    }

    /** Decodes UTF-8, or UTF-16 with the byte-order mark that editors on Windows write; the mark itself is dropped. */
    private static String text(byte[] bytes) {
        int first = bytes.length < 2 ? 0 : (bytes[0] & 0xff) << 8 | (bytes[1] & 0xff);
        Charset charset = first == 0xfeff || first == 0xfffe ? StandardCharsets.UTF_16 : StandardCharsets.UTF_8;
        String text = new String(bytes, charset);
        return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
    }

    /**
     * Reads {@code key = value}. The last value of a key replaces earlier ones, except that all of {@code methods} and {@code
     * alias} are kept.
     */
    private void takeLine(String place, String line, String hint) {
        if (line.trim().isEmpty()) {
            return;
        }
        int equals = line.indexOf('=');
        String word = (equals < 0 ? line : line.substring(0, equals)).trim();
        Key key = Key.of(word);
        if (key == null || equals < 0) {
            complaints.add(place + ": "
                    + (key == null
                            ? word + " is not a setting; did you mean " + Key.nearest(word) + "=...?"
                            : word + " has no value; write " + key.word() + "=...")
                    + hint);
            return;
        }
        String value = unquoted(line.substring(equals + 1).trim());
        SettingValue earlier = values.get(key);
        boolean adds = (key == Key.METHODS || key == Key.ALIAS) && earlier != null;
        values.put(key, adds && earlier != null ? earlier.and(place, value) : new SettingValue(place, value));
    }

    private void takeIfNew(Key key, String place, @Nullable String value) {
        if (value != null && !values.containsKey(key)) {
            values.put(key, new SettingValue(place, unquoted(value.trim())));
        }
    }

    private static String unquoted(String value) {
        boolean quoted = value.length() >= 2 && value.startsWith("'") && value.endsWith("'");
        return quoted ? value.substring(1, value.length() - 1) : value;
    }
}
