package io.counters.agent.weave;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An annotation of another library that counts calls, and what its attributes mean. The table in {@code docs/annotations.md}
 * has the same rows.
 *
 * <p>Sources: Micrometer's {@code CountedAspect} 1.15, Dropwizard's Javadoc and {@code MetricRegistry.name} 4.2, and the
 * specification of MicroProfile Metrics 5.1, section "Annotations". Where a name cannot be the same here, a character is
 * replaced, as in any other name.
 */
enum Alias {
    /** Counts the end of a call, with the tags of Micrometer's own aspect. */
    MICROMETER_COUNTED(
            "io.micrometer.core.annotation.Counted", "value", "extraTags", "recordFailuresOnly", "description") {
        @Override
        List<Mark> marks(AliasUse use, boolean onType) {
            List<Mark> marks = new ArrayList<>(2);
            if (!use.flag("recordFailuresOnly", false)) {
                marks.add(outcome(use, Moment.RETURN, "none", "success"));
            }
            Mark failure = outcome(use, Moment.THROW, Mark.EXCEPTION, "failure");
            failure.byException = true;
            marks.add(failure);
            return marks;
        }

        private Mark outcome(AliasUse use, Moment when, String exception, String result) {
            Map<String, String> tags = use.pairs("extraTags");
            tags.put("exception", exception);
            tags.put("result", result);
            tags.put("class", "{class}");
            tags.put("method", "{method}");
            Mark mark = mark(withTags(use.text("value", "method.counted"), tags), when);
            mark.asyncIfStage = true;
            return mark;
        }
    },
    /** Counts the calls in progress, or with {@code monotonic} all calls. */
    DROPWIZARD_COUNTED("com.codahale.metrics.annotation.Counted", "name", "absolute", "monotonic") {
        @Override
        List<Mark> marks(AliasUse use, boolean onType) {
            return Collections.singletonList(counted(dropwizard(use, ""), use.flag("monotonic", false)));
        }
    },
    /** Counts calls. */
    DROPWIZARD_METERED("com.codahale.metrics.annotation.Metered", "name", "absolute") {
        @Override
        List<Mark> marks(AliasUse use, boolean onType) {
            return Collections.singletonList(mark(dropwizard(use, ""), Moment.ENTRY));
        }
    },
    /** Counts calls that end in a Throwable of a class. */
    DROPWIZARD_EXCEPTION_METERED("com.codahale.metrics.annotation.ExceptionMetered", "name", "absolute", "cause") {
        @Override
        List<Mark> marks(AliasUse use, boolean onType) {
            Mark mark = mark(dropwizard(use, ".exceptions"), Moment.THROW);
            mark.on.add(use.type("cause", "java.lang.Exception"));
            return Collections.singletonList(mark);
        }
    },
    /** Counts calls, as MicroProfile Metrics 2 and newer do; only release 1 has {@code monotonic}. */
    MICROPROFILE_COUNTED(
            "org.eclipse.microprofile.metrics.annotation.Counted",
            "name",
            "absolute",
            "tags",
            "monotonic",
            "scope",
            "displayName",
            "description",
            "unit",
            "reusable") {
        @Override
        List<Mark> marks(AliasUse use, boolean onType) {
            return Collections.singletonList(counted(microprofile(use, onType), use.flag("monotonic", true)));
        }
    },
    /** Counts calls. */
    MICROPROFILE_METERED(
            "org.eclipse.microprofile.metrics.annotation.Metered",
            "name",
            "absolute",
            "tags",
            "displayName",
            "description",
            "unit",
            "reusable") {
        @Override
        List<Mark> marks(AliasUse use, boolean onType) {
            return Collections.singletonList(mark(microprofile(use, onType), Moment.ENTRY));
        }
    };

    private static final String OWN_NAME = "{class}.{method}";

    /** The annotation's class name. */
    final String type;

    /** The attributes whose meaning is known; some have none for a count. */
    @SuppressWarnings("ImmutableEnumChecker") // It is never changed.
    final List<String> attributes;

    private final String descriptor;

    Alias(String type, String... attributes) {
        this.type = type;
        this.attributes = Arrays.asList(attributes);
        this.descriptor = "L" + type.replace('.', '/') + ";";
    }

    /** The annotation with this descriptor; null if its attributes are not known. */
    static @Nullable Alias of(String descriptor) {
        for (Alias alias : values()) {
            if (alias.descriptor.equals(descriptor)) {
                return alias;
            }
        }
        return null;
    }

    /** The class names of all. */
    static List<String> names() {
        List<String> names = new ArrayList<>();
        for (Alias alias : values()) {
            names.add(alias.type);
        }
        return names;
    }

    /**
     * The marks that the annotation stands for.
     *
     * @param use the annotation as it is written; all its attributes are known
     * @param onType whether it is on a class
     * @throws IllegalArgumentException if its attributes contradict each other; the message says why
     */
    abstract List<Mark> marks(AliasUse use, boolean onType);

    /** Relative to the class, unless {@code absolute}; a name of its own has no suffix. */
    private static String dropwizard(AliasUse use, String suffix) {
        String name = use.text("name", "");
        if (name.isEmpty()) {
            return OWN_NAME + suffix;
        }
        return use.flag("absolute", false) ? name : "{class}." + name;
    }

    /** Relative to the class, unless {@code absolute}; on a class, a name replaces the name of the class. */
    private static String microprofile(AliasUse use, boolean onType) {
        boolean absolute = use.flag("absolute", false);
        String name = use.text("name", "");
        String metric;
        if (onType) {
            String owner = name.isEmpty() ? "{simpleClass}" : name;
            metric = (absolute ? owner : "{package}." + owner) + ".{method}";
        } else {
            metric = (absolute ? "" : "{class}.") + (name.isEmpty() ? "{method}" : name);
        }
        return withTags(metric, use.assignments("tags"));
    }

    private static Mark counted(String name, boolean monotonic) {
        Mark mark = mark(name, Moment.ENTRY);
        if (!monotonic) {
            mark.counts = false;
            mark.inFlight = name;
        }
        return mark;
    }

    private static Mark mark(String name, Moment when) {
        Mark mark = new Mark();
        mark.value = name;
        mark.when = when;
        return mark;
    }

    private static String withTags(String metric, Map<String, String> tags) {
        StringBuilder name = new StringBuilder(metric);
        for (Map.Entry<String, String> tag : tags.entrySet()) {
            name.append(',').append(tag.getKey()).append('=').append(tag.getValue());
        }
        return name.toString();
    }
}
