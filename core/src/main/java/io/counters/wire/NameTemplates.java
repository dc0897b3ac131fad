package io.counters.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes the name of a method's counter from a template, for the agent and for Spring's beans. It fills in {@code {class} {simpleClass}
 * {package} {method} {host} {app}}, and replaces {@code $} by {@code .} and any other character that a name may not
 * contain by {@code _}. It logs replacements in the template itself. It does not log those in the values that are filled
 * in, unless two names become one in this way. The {@code {method}} of a constructor is {@code new}, which is not a valid
 * name of a method.
 */
public final class NameTemplates {
    /** The template of a name that is not given. */
    public static final String DEFAULT = "{class}.{method}";

    private static final int COMPARED_MAX = 10_000;
    private static final int SHARED_SAID = 10;
    private static final List<String> PLACEHOLDERS =
            Arrays.asList("{class}", "{simpleClass}", "{package}", "{method}", "{host}", "{app}");

    private final String host;
    private final String app;
    private final String byDefault;
    private final Consumer<String> log;
    private final AtomicLong refused = new AtomicLong();

    /** The first {@value #COMPARED_MAX} names, with what each was before characters were replaced. */
    private final Map<String, String> asWritten = new ConcurrentHashMap<>();

    private final Set<String> shared = ConcurrentHashMap.newKeySet();

    /**
     * @param tags a template of the tags of default names, {@code key=value,key=value}; may be empty
     * @param log accepts a message for each name that differs from its template, or is refused
     */
    public NameTemplates(String host, String app, String tags, Consumer<String> log) {
        this.host = host;
        this.app = app;
        this.byDefault = tags.isEmpty() ? DEFAULT : DEFAULT + "," + tags;
        this.log = log;
    }

    /** The value of {@code {host}}: read from the environment or the kernel, never from a name server. */
    public static String host(Map<String, String> environment) {
        String name = environment.get("HOSTNAME");
        if (name == null) {
            name = environment.get("COMPUTERNAME");
        }
        if (name == null) {
            // With java.io: loading java.nio.file would cost each start a few ms.
            try (BufferedReader kernels = new BufferedReader(
                    new InputStreamReader(new FileInputStream("/proc/sys/kernel/hostname"), UTF_8))) {
                name = kernels.readLine();
            } catch (IOException noLinux) {
                name = "";
            }
        }
        return name == null || name.trim().isEmpty() ? "localhost" : name.trim();
    }

    /**
     * The canonical name, or null if it breaks a rule even after characters were replaced.
     *
     * @param template empty for the default name
     * @param owner the class's name with slashes
     */
    public @Nullable String resolve(String template, String owner, String method) {
        String type = owner.replace('/', '.');
        int dot = type.lastIndexOf('.');
        String[] values = {
            type,
            type.substring(dot + 1),
            type.substring(0, Math.max(dot, 0)),
            method.equals("<init>") ? "new" : method,
            host,
            app
        };
        String written = template.isEmpty() ? byDefault : template;
        String filled = written;
        for (int i = 0; i < values.length; i++) {
            written = written.replace(PLACEHOLDERS.get(i), values[i]);
            filled = filled.replace(PLACEHOLDERS.get(i), value(values[i]));
        }
        String name = allowed(filled, true);
        NameReader reader = new NameReader();
        Rejection why = reader.read(name);
        if (why != null) {
            refused.incrementAndGet();
            log.accept(type + "." + method + ": the name \"" + filled + "\" is refused and not counted: " + why.rule());
            return null;
        }
        if (!filled.equals(name)) {
            int open = filled.indexOf('{');
            int close = filled.indexOf('}', open + 1);
            String rule = Rejection.NAME_LETTER.rule();
            if (open >= 0 && close > 0) {
                String unknown = filled.substring(open, close + 1);
                rule = unknown + " is not a placeholder; did you mean " + EditDistance.nearest(unknown, PLACEHOLDERS)
                        + "? The placeholders are " + String.join(" ", PLACEHOLDERS);
            }
            log.accept(type + "." + method + ": \"" + filled + "\" is counted as " + name + "; " + rule);
        }
        complainIfShared(reader.name(), written.equals(name) ? reader.name() : written);
        return reader.name();
    }

    /** Logs that two names are equal only after characters were replaced: methods that share a counter have one name. */
    private void complainIfShared(String name, String written) {
        String first = asWritten.size() < COMPARED_MAX ? asWritten.putIfAbsent(name, written) : asWritten.get(name);
        if (first != null && !first.equals(written) && shared.size() < SHARED_SAID && shared.add(name)) {
            log.accept("\"" + first + "\" and \"" + written + "\" are both counted as " + name + ", because "
                    + Rejection.NAME_LETTER.rule() + "; give each its own name with @Count(\"...\") or a rule"
                    + (shared.size() == SHARED_SAID ? ". Further such names are not logged" : ""));
        }
    }

    /** How many names were refused. */
    public long refused() {
        return refused.get();
    }

    /** Inserts {@code suffix} between a name's metric and its tags. */
    public static String append(String name, String suffix) {
        int tags = name.indexOf(',');
        return tags < 0 ? name + suffix : name.substring(0, tags) + suffix + name.substring(tags);
    }

    /** Also replaces {@code ,} and {@code =}, so that a value cannot add tags to a name. */
    private static String value(String text) {
        return allowed(text, false);
    }

    /** Replaces each character that a name, or a part of a name, may not contain. */
    private static String allowed(String text, boolean structure) {
        StringBuilder name = new StringBuilder(text);
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '$') {
                name.setCharAt(i, '.');
            } else if (c > 127 || !(NameReader.isLetter((byte) c) || (structure && (c == ',' || c == '=')))) {
                name.setCharAt(i, '_');
            }
        }
        return name.toString();
    }
}
