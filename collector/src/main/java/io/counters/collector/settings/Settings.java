package io.counters.collector.settings;

import io.counters.wire.EditDistance;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The settings as they were given, and every error found in them. The packages' records read their values with {@link
 * #get}, which returns the default if a value is wrong, so that one start finds all errors; {@link #check} then throws.
 */
public final class Settings {
    private record Given(String text, String place) {}

    private static final String NOT_SHOWN = "not shown";
    private static final String EMPTY = " is empty; give a value, or leave it out";

    private static final Pattern MINUTES = Pattern.compile("(\\d{1,4})[mh]");
    private static final Pattern LINE_BREAK_AT_END = Pattern.compile("[\\r\\n]+\\z");
    private static final Pattern KEY = Pattern.compile("[A-Za-z_-]{1,40}");

    /** Names of files with secrets. Whoever mistakes one for the setting of the secret gives the secret itself. */
    public static final Set<CollectorFlag> FILES_OF_SECRETS = Collections.unmodifiableSet(EnumSet.of(
            CollectorFlag.TOKEN_FILE,
            CollectorFlag.STORE_PASSWORD_FILE,
            CollectorFlag.KEYS,
            CollectorFlag.TLS_KEY,
            CollectorFlag.SINK_HEADERS,
            CollectorFlag.KAFKA_SETTINGS));

    /**
     * Settings that close a door, or name the file with those that do. An empty one is refused: a variable that a template was
     * to fill must not open the door that it was to close.
     */
    private static final Set<CollectorFlag> CLOSING = EnumSet.of(
            CollectorFlag.CONFIG,
            CollectorFlag.BIND,
            CollectorFlag.KEYS,
            CollectorFlag.ALLOW,
            CollectorFlag.TOKEN,
            CollectorFlag.TOKEN_FILE,
            CollectorFlag.TLS_CERTIFICATE,
            CollectorFlag.TLS_KEY,
            CollectorFlag.TLS_CLIENT_CA);

    private final Map<CollectorFlag, Given> given = new EnumMap<>(CollectorFlag.class);
    private final Set<String> mistakes = new LinkedHashSet<>();
    private final List<String> remarks = new ArrayList<>();
    private boolean isSecretInFile;

    /**
     * Gathers all settings.
     *
     * @param flags the settings on the command line
     * @param environment the process' variables; those not named {@code COUNTERS_...} are ignored, and so are empty ones, unless
     *     their setting closes a door
     */
    public Settings(Map<CollectorFlag, String> flags, Map<String, String> environment) {
        environment.forEach((variable, text) -> {
            if (variable.startsWith("COUNTERS_")) {
                variable(variable, text);
            }
        });
        flags.forEach((setting, text) -> given.put(setting, new Given(text, "--" + setting.flag())));
        Given file = given.get(CollectorFlag.CONFIG);
        if (file != null && file.text.isEmpty()) {
            mistakes.add(file.place + EMPTY);
        } else if (file != null) {
            readFile(file);
        }
    }

    private void variable(String variable, String value) {
        Optional<CollectorFlag> setting = Arrays.stream(CollectorFlag.values())
                .filter(known -> known.variable().equals(variable))
                .findFirst();
        String text = withoutLineBreak(value);
        if (setting.isPresent() && (!text.isEmpty() || CLOSING.contains(setting.get()))) {
            given.put(setting.get(), new Given(text, "variable " + variable));
        } else if (setting.isEmpty() && !text.isEmpty()) {
            remarks.add(unknown("the environment", variable, CollectorFlag::variable));
        }
    }

    private void readFile(Given file) {
        String shown = file.place + " is " + shown(CollectorFlag.CONFIG, file.text) + ", which ";
        Path path;
        List<String> lines;
        try {
            path = Path.of(file.text);
            lines = NamedFile.text(path).lines().toList();
        } catch (NoSuchFileException | InvalidPathException missing) {
            mistakes.add(shown + "does not exist; give an INI file or leave it out");
            return;
        } catch (CharacterCodingException notText) {
            mistakes.add(shown + "is not UTF-8 text");
            return;
        } catch (IOException unreadable) {
            mistakes.add(shown + "cannot be read: " + NamedFile.reason(unreadable));
            return;
        }
        Map<CollectorFlag, Given> inFile = new EnumMap<>(CollectorFlag.class);
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
                // The line is not shown, because it may contain a password.
                mistakes.add(place + " is not a setting; write KEY = VALUE, or begin a comment with #");
                continue;
            }
            String key = line.substring(0, equals).strip();
            String text = line.substring(equals + 1).strip();
            Optional<CollectorFlag> setting = Arrays.stream(CollectorFlag.values())
                    .filter(known ->
                            known != CollectorFlag.CONFIG && known.key().equals(key))
                    .findFirst();
            if (key.equals(CollectorFlag.CONFIG.key())) {
                mistakes.add(place + ": config is not allowed in a file; use --config or "
                        + CollectorFlag.CONFIG.variable());
            } else if (setting.isEmpty()) {
                mistakes.add(unknown(place, key, CollectorFlag::key));
            } else if (inFile.putIfAbsent(setting.get(), new Given(text, place + ": " + key)) != null) {
                mistakes.add(place + ": " + key + " appears twice; keep one of the two");
            }
        }
        isSecretInFile = inFile.keySet().stream().anyMatch(CollectorFlag::isSecret);
        inFile.forEach(given::putIfAbsent);
    }

    private static String unknown(String place, String key, Function<CollectorFlag, String> spelling) {
        String nearest = EditDistance.nearest(
                key, Arrays.stream(CollectorFlag.values()).map(spelling).toList());
        // A word that is not spelled like a setting may be a password.
        String shown = KEY.matcher(key).matches() ? key : "this key";
        return place + ": " + shown + " is not a setting"
                + successor(key).map(now -> " any more; " + now).orElse("; did you mean " + nearest + "?");
    }

    /** What took the place of a setting of an earlier version, by its flag, variable or key. */
    static Optional<String> successor(String name) {
        return name.toLowerCase(Locale.ROOT).matches("(--|counters_)?(peers|self)")
                ? Optional.of(
                        "collectors that share names form a fleet now, without a list: --ledger kafka://HOST:PORT;"
                                + " docs/several-collectors.md says what to do with ledgers that have shared names")
                : Optional.empty();
    }

    /** Whether a word is so near to a known one that it can be shown: any other may be a password. */
    public static boolean isMistyped(String word, String known) {
        return 4 * EditDistance.of(word, known) <= known.length();
    }

    /** Whether a setting was given, even if empty. */
    public boolean isGiven(CollectorFlag setting) {
        return given.containsKey(setting);
    }

    /** Whether the INI file contains a secret itself, and not only the name of its file. */
    public boolean isSecretInFile() {
        return isSecretInFile;
    }

    /** Reads a setting's text as a value; throws if the text breaks the setting's rule. */
    @FunctionalInterface
    public interface Reading<T> {
        /**
         * Returns the value.
         *
         * @throws IllegalArgumentException with the rule and the remedy as its message
         */
        T of(String text);
    }

    /** The value of a setting; if its text breaks the rule, the error is recorded and the default returned. */
    public <T> T get(CollectorFlag setting, Reading<T> reading) {
        Given text = given.get(setting);
        if (text != null && text.text.isEmpty() && !setting.defaultText().isEmpty()) {
            mistakes.add(text.place + " is empty; leave it out for " + setting.defaultText());
        } else if (text != null && text.text.isEmpty() && CLOSING.contains(setting)) {
            mistakes.add(text.place + EMPTY);
        } else if (text != null) {
            try {
                return reading.of(text.text);
            } catch (IllegalArgumentException broken) {
                mistakes.add(text.place + " is " + shown(setting, text.text) + ", " + broken.getMessage());
            }
        }
        return reading.of(setting.defaultText());
    }

    /**
     * Records that a value, given or default, breaks a rule in combination with other settings; {@link #check} then throws.
     */
    public void refuse(CollectorFlag setting, String rule) {
        Given text = given.get(setting);
        mistakes.add((text == null ? "--" + setting.flag() : text.place) + " is "
                + shown(setting, text == null ? setting.defaultText() : text.text) + ", " + rule);
    }

    /** A value as a message may show it. */
    private static String shown(CollectorFlag setting, String text) {
        if (setting.isSecret()) {
            return NOT_SHOWN;
        }
        // With =, it may be a line of the file.
        return FILES_OF_SECRETS.contains(setting) || (setting == CollectorFlag.CONFIG && text.indexOf('=') >= 0)
                ? shownFile(text)
                : shown(text);
    }

    /** The value of a setting that is no secret as a message may show it: no content of a file, and no login or query of a URL. */
    public static String shown(String text) {
        return text.indexOf('\n') >= 0 || text.contains("-----BEGIN")
                ? NOT_SHOWN
                : text.replaceFirst("//.*@", "//...@").replaceAll("(//[^,?]*\\?)[^,]*", "$1...");
    }

    /** The name of a secret's file as a message may show it: what is neither a file nor in a folder may be the secret itself. */
    public static String shownFile(String path) {
        try {
            Path file = Path.of(path);
            Path folder = file.getParent();
            boolean isInFolder = folder != null && folder.getNameCount() > 0 && Files.isDirectory(folder);
            return isInFolder || Files.exists(file) ? path : NOT_SHOWN;
        } catch (InvalidPathException noPath) {
            return NOT_SHOWN;
        }
    }

    /**
     * A secret: the value of one setting, or what the file of another contains and nothing else; empty if neither is given.
     *
     * @param value the secret itself, which has no flag
     * @param file the name of its file
     */
    public String secret(CollectorFlag value, CollectorFlag file) {
        String given = get(value, text -> text);
        return get(file, path -> {
            if (path.isEmpty()) {
                return given;
            }
            if (!given.isEmpty()) {
                throw new IllegalArgumentException("but " + value.key() + " is also set; keep one of the two");
            }
            return secretIn(path);
        });
    }

    /**
     * Reads a file that contains a secret and nothing else.
     *
     * @throws IllegalArgumentException with the reason, and nothing of its content or its name
     */
    public static String secretIn(String path) {
        String text = NamedFile.text(path);
        // Some editors write a byte-order mark first.
        String secret = (text.startsWith("\uFEFF") ? text.substring(1) : text).strip();
        if (!secret.isEmpty()) {
            return secret;
        }
        throw new IllegalArgumentException("which is empty; it must contain the secret and nothing else");
    }

    /** The value of a variable without the line break at its end, which it has if Kubernetes or a shell has read it from a file. */
    public static String withoutLineBreak(String variable) {
        return LINE_BREAK_AT_END.matcher(variable).replaceFirst("");
    }

    /** The value of a setting that is a whole number from {@code min} to {@code max}. */
    public int number(CollectorFlag setting, int min, int max) {
        return get(setting, text -> wholeNumber(text, min, max));
    }

    /** Reads a duration of at least a minute. */
    public static Duration minutes(String text) {
        Matcher duration = MINUTES.matcher(text);
        long number = duration.matches() ? Long.parseLong(duration.group(1)) : 0;
        if (number == 0) {
            throw new IllegalArgumentException("allowed are 1m to 9999h: a whole number followed by m or h");
        }
        return text.endsWith("m") ? Duration.ofMinutes(number) : Duration.ofHours(number);
    }

    /** Reads a whole number within a range. */
    public static int wholeNumber(String text, int min, int max) {
        try {
            int number = Integer.parseInt(text);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // Reported below, like a number that is out of range.
        }
        throw new IllegalArgumentException("allowed are whole numbers from " + min + " to " + max);
    }

    /**
     * A setting whose file can be read only once, if there is one: a pipe, such as that of {@code <(...)} in a shell, or a device.
     * To open a pipe that nobody writes may never end.
     */
    public Optional<CollectorFlag> readOnce() {
        return Stream.concat(Stream.of(CollectorFlag.CONFIG), FILES_OF_SECRETS.stream())
                .filter(this::isReadOnce)
                .findFirst();
    }

    private boolean isReadOnce(CollectorFlag setting) {
        Given name = given.get(setting);
        try {
            Path file = Path.of(name == null ? "" : name.text);
            return Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file);
        } catch (InvalidPathException noPath) {
            return false;
        }
    }

    /** Adds a warning that does not stop the start. */
    public void remark(CollectorFlag setting, String text) {
        Given said = given.get(setting);
        remarks.add((said == null ? "--" + setting.flag() : said.place) + " is "
                + shown(setting, said == null ? setting.defaultText() : said.text) + ", " + text);
    }

    /**
     * Warnings that do not stop the start: about settings, and about variables that begin with {@code COUNTERS_} and are none,
     * because Kubernetes, for example, sets {@code COUNTERS_PORT} for a service that is named counters.
     */
    public List<String> remarks() {
        return List.copyOf(remarks);
    }

    /** The flags' names of the settings whose values differ in {@code others}. */
    public List<String> changes(Settings others) {
        List<String> changed = new ArrayList<>();
        for (CollectorFlag setting : CollectorFlag.values()) {
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
     * Throws if any error was found.
     *
     * @throws SettingsException with every error
     */
    public void check() throws SettingsException {
        if (!mistakes.isEmpty()) {
            throw new SettingsException(List.copyOf(mistakes));
        }
    }
}
