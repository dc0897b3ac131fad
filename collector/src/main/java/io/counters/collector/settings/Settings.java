package io.counters.collector.settings;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The settings as they were given, and every mistake found in them. The rooms' records take their values by {@link
 * #get}, which falls back to the default where a value is wrong, so that one start finds all mistakes; {@link #check}
 * then ends it.
 */
public final class Settings {
    private record Given(String text, String place) {}

    private static final Pattern KEY = Pattern.compile("[A-Za-z_-]{1,40}");

    private final Map<Setting, Given> given = new EnumMap<>(Setting.class);
    private final Set<String> mistakes = new LinkedHashSet<>();
    private final List<String> remarks = new ArrayList<>();

    /**
     * Gathers all settings.
     *
     * @param flags what stood on the command line
     * @param environment the process' variables; those not named {@code COUNTERS_...}, and empty ones, are ignored
     */
    public Settings(Map<Setting, String> flags, Map<String, String> environment) {
        environment.forEach((variable, text) -> {
            if (variable.startsWith("COUNTERS_") && !text.isEmpty()) {
                Arrays.stream(Setting.values())
                        .filter(setting -> setting.variable().equals(variable))
                        .findFirst()
                        .ifPresentOrElse(
                                setting -> given.put(setting, new Given(text, "variable " + variable)),
                                () -> remarks.add(unknown("the environment", variable, Setting::variable)));
            }
        });
        flags.forEach((setting, text) -> given.put(setting, new Given(text, "--" + setting.flag())));
        Given file = given.get(Setting.CONFIG);
        if (file != null && !file.text.isEmpty()) {
            readFile(file);
        }
    }

    private void readFile(Given file) {
        Path path = Path.of(file.text);
        List<String> lines;
        try {
            lines = Files.readAllLines(path);
        } catch (NoSuchFileException missing) {
            mistakes.add(file.place + " is " + file.text + ", which does not exist; give an INI file or leave it out");
            return;
        } catch (CharacterCodingException notText) {
            mistakes.add(file.place + " is " + file.text + ", which is not UTF-8 text");
            return;
        } catch (IOException unreadable) {
            mistakes.add(file.place + " is " + file.text + ", which can't be read: " + unreadable.getMessage());
            return;
        }
        Map<Setting, Given> inFile = new EnumMap<>(Setting.class);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (i == 0 && line.startsWith("\uFEFF")) {
                line = line.substring(1).strip();
            }
            if (line.isEmpty() || line.startsWith("#") || line.startsWith(";") || line.equals("[collector]")) {
                continue;
            }
            String place = path.getFileName() + " line " + (i + 1);
            int equals = line.indexOf('=');
            if (equals < 0) {
                // Nothing of it is shown, as it may be a password.
                mistakes.add(place + " is no setting; a line is KEY = VALUE, # begins a comment");
                continue;
            }
            String key = line.substring(0, equals).strip();
            String text = line.substring(equals + 1).strip();
            Optional<Setting> setting = Arrays.stream(Setting.values())
                    .filter(known -> known != Setting.CONFIG && known.key().equals(key))
                    .findFirst();
            if (setting.isEmpty()) {
                mistakes.add(unknown(place, key, Setting::key));
            } else if (inFile.putIfAbsent(setting.get(), new Given(text, place + ": " + key)) != null) {
                mistakes.add(place + ": " + key + " stands a second time; keep one of the two");
            }
        }
        inFile.forEach(given::putIfAbsent);
    }

    private static String unknown(String place, String key, Function<Setting, String> spelling) {
        String nearest =
                nearest(key, Arrays.stream(Setting.values()).map(spelling).toList());
        // What is not spelled as a setting is, may be a password.
        String shown = KEY.matcher(key).matches() ? key : "of this name";
        return place + ": there is no setting " + shown + "; the nearest is " + nearest;
    }

    /** Which of these a mistyped one is likeliest to be. */
    public static String nearest(String mistyped, List<String> known) {
        return known.stream()
                .min((a, b) -> Integer.compare(distance(a, mistyped), distance(b, mistyped)))
                .orElseThrow();
    }

    /** Turns a setting's text into a value; throws where the text breaks the setting's rule. */
    @FunctionalInterface
    public interface Reading<T> {
        /**
         * The value that the text stands for.
         *
         * @throws IllegalArgumentException whose message is the rule and the remedy
         */
        T of(String text);
    }

    /** The value of a setting, read by its rule; where that is broken, the mistake is kept and the default taken. */
    public <T> T get(Setting setting, Reading<T> reading) {
        Given text = given.get(setting);
        if (text != null && text.text.isEmpty() && !setting.defaultText().isEmpty()) {
            mistakes.add(text.place + " is empty; leave it out for " + setting.defaultText());
        } else if (text != null) {
            try {
                return reading.of(text.text);
            } catch (IllegalArgumentException broken) {
                mistakes.add(text.place + " is " + shown(setting, text.text) + ", " + broken.getMessage());
            }
        }
        return reading.of(setting.defaultText());
    }

    /** Takes note that a value, be it given or the default, breaks a rule together with others; {@link #check} ends the start. */
    public void refuse(Setting setting, String rule) {
        Given text = given.get(setting);
        mistakes.add((text == null ? "--" + setting.flag() : text.place) + " is "
                + shown(setting, text == null ? setting.defaultText() : text.text) + ", " + rule);
    }

    /** A value as a message may show it: without a secret, also one that stands where none should. */
    private static String shown(Setting setting, String text) {
        return setting.isSecret() ? "not shown" : text.replaceFirst("//.*@", "//...@");
    }

    /** The value of a setting that is a whole number. */
    public int number(Setting setting, int min, int max) {
        return get(setting, text -> wholeNumber(text, min, max));
    }

    /** Reads a whole number within a range. */
    public static int wholeNumber(String text, int min, int max) {
        try {
            int number = Integer.parseInt(text);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // Told below, like one that is out of range.
        }
        throw new IllegalArgumentException("allowed are whole numbers from " + min + " to " + max);
    }

    /**
     * What is odd and stops nothing: variables that look like ours and are none. Kubernetes, for one, sets {@code
     * COUNTERS_PORT} for a service that is named counters.
     */
    public List<String> remarks() {
        return List.copyOf(remarks);
    }

    /** The flags' names of the settings that others have another value for. */
    public List<String> changes(Settings others) {
        List<String> changed = new ArrayList<>();
        for (Setting setting : Setting.values()) {
            Given here = given.get(setting);
            Given there = others.given.get(setting);
            if (!(here == null ? setting.defaultText() : here.text)
                    .equals(there == null ? setting.defaultText() : there.text)) {
                changed.add(setting.flag());
            }
        }
        return changed;
    }

    /**
     * Ends a start with bad settings.
     *
     * @throws SettingsException with every mistake, if there was any
     */
    public void check() throws SettingsException {
        if (!mistakes.isEmpty()) {
            throw new SettingsException(List.copyOf(mistakes));
        }
    }

    /** Levenshtein's distance, letter case left out. */
    private static int distance(String a, String b) {
        String from = a.toLowerCase(Locale.ROOT);
        String to = b.toLowerCase(Locale.ROOT);
        int[] row = new int[to.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int swap = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(swap, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[to.length()];
    }
}
