package io.counters.collector.otlp;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.access.Port;
import io.counters.collector.access.TlsChannel;
import io.counters.collector.common.Descriptors;
import io.counters.collector.http.Guard;
import io.counters.collector.http.HttpLimits;
import io.counters.collector.http.Listening;
import io.counters.collector.intake.IntakeSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Memory;
import io.counters.collector.settings.Settings;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The settings of the port for OTLP and HTTP.
 *
 * @param at where it listens, for whom, and how much it holds at once
 * @param tags keys of attributes that become tags, and perhaps {@link #ALL}
 * @param dropTags keys that never become tags
 * @param memoryBytes for requests and for what is remembered of series
 * @param nameBytesMax the maximum bytes of a name
 */
public record OtlpSettings(Listening at, List<String> tags, List<String> dropTags, long memoryBytes, int nameBytesMax) {
    /** In place of a key: each attribute of a data point that does not name an instance. */
    static final String ALL = "*";

    private static final int KEYS_MAX = 100;

    /** Memory with which 650 data points in JSON with three attributes can be converted. */
    private static final int JSON_MEMORY_MIN = 4 << 20;

    /** More memory does not make a request in JSON larger than this. */
    static final int JSON_BYTES_MAX = 1 << 22;

    private static final int BODY_BYTES_MIN = 64 << 10;
    private static final int LINES_BYTES_MIN = 1 << 20;
    private static final int HEAP_SHARE = 20;
    private static final int CONNECTIONS_MAX = 1_000_000;
    private static final int NO_LISTENERS = 0;

    /** Requests that wait until their lines are kept, each on a thread. */
    private static final int ANSWERS_AT_ONCE = 16;

    /** With a request whose headers have arrived in part. */
    private static final int CONNECTION_BYTES = 20 << 10;

    public OtlpSettings {
        tags = List.copyOf(tags);
        dropTags = List.copyOf(dropTags);
    }

    /** A port on loopback, for everyone on this machine. */
    public OtlpSettings(int port, List<String> tags, List<String> dropTags, long memoryBytes, int nameBytesMax) {
        this(
                at(
                        InetAddress.getLoopbackAddress(),
                        port,
                        new HttpLimits(100, NO_LISTENERS, 32, memoryBytes / 2),
                        Guard.NONE),
                tags,
                dropTags,
                memoryBytes,
                nameBytesMax);
    }

    /**
     * Reads the settings; empty if there is no such port.
     *
     * @param heapBytes the maximum heap
     */
    public static Optional<OtlpSettings> from(
            Settings settings, IntakeSettings taking, AccessSettings access, long heapBytes) {
        int port = settings.get(
                CollectorFlag.OTLP_PORT, text -> text.isEmpty() ? -1 : Settings.wholeNumber(text, 0, 65_535));
        List<String> tags = settings.get(CollectorFlag.OTLP_TAGS, OtlpSettings::tags);
        long memory = settings.get(CollectorFlag.OTLP_MEMORY, text -> Memory.of(text, heapBytes));
        HttpLimits limits = new HttpLimits(
                connectionsMax(
                        settings.number(CollectorFlag.OTLP_CONNECTIONS, 1, CONNECTIONS_MAX),
                        heapBytes,
                        access.certificate(Port.OTLP).isPresent()),
                NO_LISTENERS,
                settings.number(CollectorFlag.HTTP_WAITING, 1, 10_000),
                memory / 2);
        InetAddress bind = access.bind(settings, CollectorFlag.OTLP_BIND, Port.OTLP);
        return port < 0
                ? Optional.empty()
                : Optional.of(new OtlpSettings(
                        at(bind, port, limits, Guard.of(settings, access, Port.OTLP)),
                        tags,
                        taking.statsd().dropTags(),
                        memory,
                        taking.nameBytesMax()));
    }

    private static Listening at(InetAddress bind, int port, HttpLimits limits, Guard guard) {
        return Listening.programs(
                bind,
                port,
                "the port for OTLP and HTTP",
                "if another collector or an OpenTelemetry Collector uses it, use --otlp-port for another port",
                limits,
                ANSWERS_AT_ONCE,
                guard);
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

    /** An eighth of the memory, for the request that is converted; half of it is for the bodies of all requests. */
    public int bodyBytesMax() {
        return (int) Math.max(BODY_BYTES_MIN, Math.min(1 << 30, memoryBytes / 8));
    }

    /** Another eighth is for what is made of it. */
    long linesBytesMax() {
        return Math.max(LINES_BYTES_MIN, memoryBytes / 8);
    }

    /** Converting JSON needs what both of them have. */
    long jsonMemoryBytes() {
        return Math.max(JSON_MEMORY_MIN, memoryBytes / 4);
    }

    /** The bytes of a text in JSON; if it has many values, {@link JsonExport} allows less. */
    int jsonBytesMax() {
        return (int) Math.max(BODY_BYTES_MIN, Math.min(JSON_BYTES_MAX, memoryBytes / 4 / JsonExport.BYTE_COST));
    }

    /** {@code wanted}, or fewer if its share of the descriptors or a twentieth of the heap does not suffice. */
    private static int connectionsMax(int wanted, long heapBytes, boolean hasTls) {
        long bytes = (long) CONNECTION_BYTES + (hasTls ? TlsChannel.BYTES : 0);
        long possible =
                Math.min(HttpLimits.connectionsMax(Descriptors.limit(), hasTls), heapBytes / HEAP_SHARE / bytes);
        return (int) Math.max(1, Math.min(wanted, possible));
    }

    /** A quarter is for what is remembered of series. */
    int seriesMax() {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, memoryBytes / 4 / KnownSeries.BYTES));
    }
}
