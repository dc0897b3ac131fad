package io.counters.agent.weave;

import io.counters.wire.NameReader;
import io.counters.wire.Rejection;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes a counter's name of a template, when a method is woven: {@code {class} {simpleClass} {package} {method} {host}
 * {app}} are filled in, {@code $} becomes {@code .}, and what a name can't have becomes {@code _}. A constructor's
 * {@code {method}} is {@code new}, which no method is called.
 */
public final class Names {
    private static final String DEFAULT = "{class}.{method}";

    private final String host;
    private final String app;
    private final Consumer<String> log;
    private final AtomicLong refused = new AtomicLong();

    /** @param log takes a line for each name that is not what its template says, or is refused */
    public Names(String host, String app, Consumer<String> log) {
        this.host = host;
        this.app = app;
        this.log = log;
    }

    /**
     * The canonical name, or null if it breaks a rule that changing letters does not mend.
     *
     * @param owner the class's name with slashes
     */
    @Nullable
    String resolve(String template, String owner, String method) {
        String type = owner.replace('/', '.');
        int dot = type.lastIndexOf('.');
        String filled = (template.isEmpty() ? DEFAULT : template)
                .replace("{class}", value(type))
                .replace("{simpleClass}", value(type.substring(dot + 1)))
                .replace("{package}", value(type.substring(0, Math.max(dot, 0))))
                .replace("{method}", method.equals("<init>") ? "new" : value(method))
                .replace("{host}", value(host))
                .replace("{app}", value(app));
        StringBuilder name = new StringBuilder(filled);
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '$') {
                name.setCharAt(i, '.');
            } else if (c > 127 || !(NameReader.isLetter((byte) c) || c == ',' || c == '=')) {
                name.setCharAt(i, '_');
            }
        }
        NameReader reader = new NameReader();
        Rejection why = reader.read(name.toString());
        if (why != null) {
            refused.incrementAndGet();
            log.accept(type + "." + method + ": the name \"" + filled + "\" is refused and not counted: " + why.rule());
            return null;
        }
        if (!filled.contentEquals(name)) {
            log.accept(type + "." + method + ": \"" + filled + "\" is counted as " + name + "; "
                    + Rejection.NAME_LETTER.rule());
        }
        return reader.name();
    }

    /** How many were refused. */
    long refused() {
        return refused.get();
    }

    /** Puts {@code suffix} behind a name's metric, in front of its tags. */
    static String append(String name, String suffix) {
        int tags = name.indexOf(',');
        return tags < 0 ? name + suffix : name.substring(0, tags) + suffix + name.substring(tags);
    }

    /** A value must not become part of a name's structure. */
    private static String value(String text) {
        return text.replace(',', '_').replace('=', '_');
    }
}
