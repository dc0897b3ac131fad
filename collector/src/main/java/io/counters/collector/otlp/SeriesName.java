package io.counters.collector.otlp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.wire.NameReader;
import io.counters.wire.Rejection;
import io.counters.wire.StatsdName;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The name of a series: its metric's name, and those attributes that become tags. Names and tags are cleaned by the rules for
 * StatsD's lines, {@link StatsdName}. What the name does not say about the series, {@link #addRest} adds to the ID of its stream,
 * so that a stream never has two series of one name. For one thread at a time.
 *
 * <p>A tag is an attribute whose key is listed, of the data point or else of the resource; with {@link OtlpSettings#ALL} also
 * every attribute of the data point that does not name an instance, by key, up to the most tags that a name may have.
 */
final class SeriesName {
    /** Attributes that differ between the instances of a service; a prefix ends with a dot. */
    private static final List<String> INSTANCES = List.of(
            "service.instance.",
            "host.",
            "process.",
            "container.",
            "k8s.pod.",
            "k8s.container.",
            "k8s.node.",
            "thread.",
            "instance",
            "pod",
            "hostname");

    private static final Comparator<KeyValue> BY_KEY = Comparator.comparing(KeyValue::getKey);
    private static final byte[] COUNTER = ":0|c".getBytes(ISO_8859_1);

    private final List<String> listed;
    private final boolean takesAll;
    private final Set<String> dropped;
    private final int nameBytesMax;
    private final StatsdName cleaned = StatsdName.cleaning(List.of());
    private final ByteBuilder line = new ByteBuilder();

    private byte[] metric = {};
    private List<KeyValue> attributes = List.of();

    /** Of the resource, the first attribute with each of the listed keys. */
    private final Map<String, KeyValue> ofResource = new HashMap<>();

    private final List<KeyValue> tags = new ArrayList<>();

    SeriesName(OtlpSettings settings) {
        listed = settings.tags().stream()
                .filter(key -> !key.equals(OtlpSettings.ALL))
                .toList();
        takesAll = settings.tags().contains(OtlpSettings.ALL);
        dropped = new HashSet<>(settings.dropTags());
        dropped.add(StatsdName.ENTITY_ID);
        nameBytesMax = settings.nameBytesMax();
    }

    /** Attributes in the order of their keys, which have no order of their own. */
    static List<KeyValue> sorted(List<KeyValue> attributes) {
        if (attributes.size() < 2) {
            return attributes;
        }
        List<KeyValue> sorted = new ArrayList<>(attributes);
        sorted.sort(BY_KEY);
        return sorted;
    }

    /** Forgets the resource and the series that were read last. */
    void clear() {
        ofResource.clear();
        tags.clear();
        attributes = List.of();
        metric = new byte[0];
    }

    /** Begins a resource. Its attributes are read once: it may have tens of thousands, and as many series. */
    void resource(List<KeyValue> of) {
        ofResource.clear();
        for (KeyValue attribute : of) {
            if (listed.contains(attribute.getKey())) {
                ofResource.putIfAbsent(attribute.getKey(), attribute);
            }
        }
    }

    /**
     * Reads a series of the resource.
     *
     * @param name the metric's
     * @return the rule that it breaks, or null
     */
    @Nullable
    PointRejection read(byte[] name, List<KeyValue> ofPoint) {
        metric = name;
        attributes = sorted(ofPoint);
        choose();
        line.clear();
        append(name);
        line.add(COUNTER, 0, COUNTER.length);
        for (int i = 0; i < tags.size(); i++) {
            KeyValue tag = tags.get(i);
            line.add(i == 0 ? '|' : ',');
            if (i == 0) {
                line.add('#');
            }
            append(tag.getKey());
            line.add(':');
            append(text(tag.getValue()));
        }
        Rejection why = cleaned.readLine(line.bytes, 0, line.length);
        if (why != null) {
            return why == Rejection.EMPTY_NAME ? PointRejection.EMPTY_NAME : PointRejection.NAME_TOO_LONG;
        }
        return cleaned.to - cleaned.from > nameBytesMax ? PointRejection.NAME_TOO_LONG : null;
    }

    private void choose() {
        tags.clear();
        for (String key : listed) {
            KeyValue found = find(attributes, key);
            choose(found == null ? ofResource.get(key) : found);
        }
        if (takesAll) {
            for (KeyValue attribute : attributes) {
                if (!namesInstance(attribute.getKey()) && !listed.contains(attribute.getKey())) {
                    choose(attribute);
                }
            }
        }
    }

    private void choose(@Nullable KeyValue attribute) {
        if (attribute != null
                && tags.size() < NameReader.TAGS_MAX
                && !dropped.contains(attribute.getKey())
                && !attribute.getKey().isEmpty()
                && !text(attribute.getValue()).isEmpty()) {
            tags.add(attribute);
        }
    }

    private static @Nullable KeyValue find(List<KeyValue> attributes, String key) {
        for (KeyValue attribute : attributes) {
            if (attribute.getKey().equals(key)) {
                return attribute;
            }
        }
        return null;
    }

    private static boolean namesInstance(String key) {
        for (String one : INSTANCES) {
            if (one.endsWith(".") ? key.startsWith(one) : key.equals(one)) {
                return true;
            }
        }
        return false;
    }

    /** The value as a tag has it; empty for values that cannot be one. */
    private static String text(AnyValue value) {
        return switch (value.getValueCase()) {
            case STRING_VALUE -> value.getStringValue();
            case BOOL_VALUE -> String.valueOf(value.getBoolValue());
            case INT_VALUE -> String.valueOf(value.getIntValue());
            case DOUBLE_VALUE -> String.valueOf(value.getDoubleValue());
            default -> "";
        };
    }

    private void append(String part) {
        if (!isStored(part)) {
            append(part.getBytes(UTF_8));
            return;
        }
        for (int i = 0; i < part.length(); i++) {
            line.add(part.charAt(i));
        }
    }

    /** Appends a part without the characters that separate the parts of a StatsD line. */
    private void append(byte[] part) {
        for (byte b : part) {
            line.add(b == ':' || b == '|' || b == ',' || b == '\n' ? '_' : b);
        }
    }

    /** The canonical name. */
    byte[] name() {
        return Arrays.copyOfRange(cleaned.bytes, cleaned.from, cleaned.to);
    }

    /** Adds everything that distinguishes this series from others with the same name. */
    void addRest(StreamId id) {
        if (!isStored(new String(metric, ISO_8859_1))) {
            id.add(metric);
        }
        for (KeyValue attribute : attributes) {
            AnyValue value = attribute.getValue();
            boolean isTag = isIn(tags, attribute);
            if (!isTag || !isStored(attribute.getKey()) || !isStored(text(value))) {
                id.add(attribute.toByteArray());
            } else if (!value.hasStringValue()) {
                // "1" and 1 are different, but have the same text.
                id.add(attribute.getKey().getBytes(UTF_8))
                        .add(value.getValueCase().getNumber());
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // Whether this very attribute was chosen.
    private static boolean isIn(List<KeyValue> chosen, KeyValue attribute) {
        for (KeyValue one : chosen) {
            if (one == attribute) {
                return true;
            }
        }
        return false;
    }

    /** Whether the name has this text as it is. */
    private static boolean isStored(String part) {
        for (int i = 0; i < part.length(); i++) {
            char c = part.charAt(i);
            if (c > 0x7f || !NameReader.isLetter((byte) c)) {
                return false;
            }
        }
        return true;
    }
}
