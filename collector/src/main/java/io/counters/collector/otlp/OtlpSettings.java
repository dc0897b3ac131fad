package io.counters.collector.otlp;

import io.counters.collector.intake.IntakeSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Memory;
import io.counters.collector.settings.Settings;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The settings of the port for OTLP and HTTP.
 *
 * @param port 0 for any free one
 * @param tags keys of attributes that become tags, and perhaps {@link #ALL}
 * @param dropTags keys that never become tags
 * @param memoryBytes for requests and for what is remembered of series
 * @param nameBytesMax the maximum bytes of a name
 */
public record OtlpSettings(int port, List<String> tags, List<String> dropTags, long memoryBytes, int nameBytesMax) {
    /** In place of a key: each attribute of a data point that does not name an instance. */
    static final String ALL = "*";

    private static final int KEYS_MAX = 100;

    /** Converting JSON needs this many times the memory of its text. */
    private static final int JSON_PART = 32;

    private static final int BODY_BYTES_MIN = 64 << 10;
    private static final int LINES_BYTES_MIN = 1 << 20;
    private static final int HEAP_SHARE = 20;

    /** With a request whose headers have arrived in part. */
    private static final int CONNECTION_BYTES = 20 << 10;

    public OtlpSettings {
        tags = List.copyOf(tags);
        dropTags = List.copyOf(dropTags);
    }

    /**
     * Reads the settings; empty if there is no such port.
     *
     * @param heapBytes the maximum heap
     */
    public static Optional<OtlpSettings> from(Settings settings, IntakeSettings taking, long heapBytes) {
        int port = settings.get(
                CollectorFlag.OTLP_PORT, text -> text.isEmpty() ? -1 : Settings.wholeNumber(text, 0, 65_535));
        List<String> tags = settings.get(CollectorFlag.OTLP_TAGS, OtlpSettings::tags);
        long memory = settings.get(CollectorFlag.OTLP_MEMORY, text -> Memory.of(text, heapBytes));
        return port < 0
                ? Optional.empty()
                : Optional.of(new OtlpSettings(port, tags, taking.statsd().dropTags(), memory, taking.nameBytesMax()));
    }

    private static List<String> tags(String text) {
        List<String> keys = Stream.of(text.split(",", -1))
                .map(String::strip)
                .filter(key -> !key.isEmpty())
                .distinct()
                .toList();
        if (keys.size() > KEYS_MAX) {
            throw new IllegalArgumentException("allowed are at most " + KEYS_MAX + " keys");
        }
        return keys;
    }

    /** Half of the memory is for the bodies of requests as they arrive. */
    public long bodiesBytesMax() {
        return memoryBytes / 2;
    }

    /** An eighth is for the one that is converted, as it arrives and decompressed. */
    public int bodyBytesMax() {
        return (int) Math.max(BODY_BYTES_MIN, Math.min(1 << 30, memoryBytes / 8));
    }

    /** Another eighth is for what is made of it. */
    long linesBytesMax() {
        return Math.max(LINES_BYTES_MIN, memoryBytes / 8);
    }

    /** Text in JSON needs what both of them have. */
    int jsonBytesMax() {
        return (int) Math.max(BODY_BYTES_MIN, Math.min(1 << 30, memoryBytes / 4 / JSON_PART));
    }

    /**
     * How many connections the port may have: as many as that for lines, which has shared its descriptors with it, and with their
     * buffers at most a twentieth of the heap.
     */
    public static int connectionsMax(IntakeSettings taking, long heapBytes) {
        return (int) Math.max(1, Math.min(taking.connectionsMax(), heapBytes / HEAP_SHARE / CONNECTION_BYTES));
    }

    /** A quarter is for what is remembered of series. */
    int seriesMax() {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, memoryBytes / 4 / KnownSeries.BYTES));
    }
}
