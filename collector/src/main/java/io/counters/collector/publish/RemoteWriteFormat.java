package io.counters.collector.publish;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.prometheus.PrometheusNames;
import io.counters.collector.prometheus.SeriesMarks;
import io.counters.collector.publish.Outcome.Rest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.compression.DecompressionException;
import io.netty.handler.codec.compression.Snappy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Prometheus' remote write 1.0: snappy in its block format, around this message of protobuf, of which each series has one
 * sample. Its source is the specification "Prometheus Remote-Write 1.0" with {@code prompb/remote.proto} and {@code
 * prompb/types.proto}.
 *
 * <pre>
 *   WriteRequest  1 timeseries, repeated TimeSeries
 *   TimeSeries    1 labels, repeated Label, sorted by their names    2 samples, repeated Sample
 *   Label         1 name, string                                     2 value, string
 *   Sample        1 value, double                                    2 timestamp, int64, milliseconds
 * </pre>
 *
 * <p>A counter has the name that it has at {@code /metrics/counters}. A double is exact up to 2^53.
 */
final class RemoteWriteFormat implements PointFormat {
    /** Prometheus itself sends as many at once by default. */
    static final int POINTS_MAX = 2_000;

    private static final int TOO_LARGE = 413;
    private static final int TOO_MANY = 429;
    private static final int FAILED = 500;

    /** No body unpacks to more than this many times its bytes: of snappy's elements, a copy of 64 bytes takes 3. */
    private static final long RATIO_MAX = 22;

    /** Netty's encoder has 16-bit positions. */
    private static final int SNAPPY_BYTES = Short.MAX_VALUE;

    private static final String NAME = "__name__";
    private static final Comparator<Label> BY_NAME = Comparator.comparing(Label::name);

    private final Series series;
    private final List<Label> added;
    private byte[] message = new byte[64 * 1024];

    private record Label(String name, String value) {
        int bytes() {
            return CodedOutputStream.computeStringSize(1, name) + CodedOutputStream.computeStringSize(2, value);
        }
    }

    RemoteWriteFormat(Series series) {
        this.series = series;
        added = series.tags().stream()
                .map(tag -> new Label(label(tag.key()), tag.value()))
                .toList();
    }

    /** The label of a tag that no other has. */
    static String label(String key) {
        return PrometheusNames.labelNeedsEscaping(key) ? PrometheusNames.escaped(key) : PrometheusNames.plain(key);
    }

    @Override
    public String server() {
        return "Prometheus";
    }

    @Override
    public Map<String, String> headers() {
        return Map.of(
                "Content-Type", "application/x-protobuf",
                "Content-Encoding", "snappy",
                "User-Agent", "counters",
                "X-Prometheus-Remote-Write-Version", "0.1.0");
    }

    @Override
    public Duration patience() {
        return Duration.ofSeconds(30);
    }

    @Override
    public int pointsMax(int bytesMax) {
        return POINTS_MAX;
    }

    @Override
    public byte[] pack(long second, Snapshot values, int begin, int end) {
        try {
            int length = 0;
            for (int i = begin; i < end; i++) {
                length = append(length, labels(values, i), (double) values.values()[i], second * 1000);
            }
            return snappy(message, length);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
    }

    private int append(int at, List<Label> labels, double value, long millis) throws IOException {
        int sample = CodedOutputStream.computeDoubleSize(1, value) + CodedOutputStream.computeInt64Size(2, millis);
        int size = 1 + CodedOutputStream.computeUInt32SizeNoTag(sample) + sample;
        for (Label label : labels) {
            int bytes = label.bytes();
            size += 1 + CodedOutputStream.computeUInt32SizeNoTag(bytes) + bytes;
        }
        int whole = 1 + CodedOutputStream.computeUInt32SizeNoTag(size) + size;
        if (at + whole > message.length) {
            message = Arrays.copyOf(message, Math.max(at + whole, 2 * message.length));
        }
        CodedOutputStream out = CodedOutputStream.newInstance(message, at, whole);
        begin(out, 1, size);
        for (Label label : labels) {
            begin(out, 1, label.bytes());
            out.writeString(1, label.name);
            out.writeString(2, label.value);
        }
        begin(out, 2, sample);
        out.writeDouble(1, value);
        out.writeInt64(2, millis);
        out.checkNoSpaceLeft();
        return at + whole;
    }

    private static void begin(CodedOutputStream out, int field, int size) throws IOException {
        out.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        out.writeUInt32NoTag(size);
    }

    /** The labels of the counter in this place, sorted. */
    private List<Label> labels(Snapshot values, int place) {
        String name = values.names()[place];
        int comma = name.indexOf(',');
        List<Label> labels = new ArrayList<>();
        labels.add(new Label(NAME, metric(name.substring(0, comma < 0 ? name.length() : comma), values, place)));
        boolean escapes = values.isMarked(place, SeriesMarks.KEYS_ESCAPED);
        while (comma >= 0) {
            int equals = name.indexOf('=', comma);
            int next = name.indexOf(',', equals);
            String key = name.substring(comma + 1, equals);
            labels.add(new Label(
                    escapes ? PrometheusNames.escaped(key) : label(key),
                    name.substring(equals + 1, next < 0 ? name.length() : next)));
            comma = next;
        }
        int own = labels.size();
        for (Label label : added) {
            add(label, labels, own);
        }
        labels.sort(BY_NAME);
        return labels;
    }

    /** Adds one of {@code --tags}. A counter's own label wins, but must not be equal: a counter without it gets that one. */
    private static void add(Label label, List<Label> labels, int own) {
        for (int i = 1; i < own; i++) {
            if (labels.get(i).name.equals(label.name)) {
                if (!labels.get(i).equals(label)) {
                    return;
                }
                labels.set(i, new Label(Series.EXPORTED + label.name, label.value));
            }
        }
        labels.add(label);
    }

    private String metric(String metric, Snapshot values, int place) {
        String whole = series.prefix() + metric;
        String plain = values.isMarked(place, SeriesMarks.NAME_ESCAPED)
                ? PrometheusNames.escaped(whole)
                : PrometheusNames.plainMetric(whole);
        return values.isMarked(place, SeriesMarks.GAUGE) ? plain : plain + PrometheusNames.TOTAL;
    }

    /**
     * Packs bytes as snappy's block format: the length, and elements that refer to earlier bytes. So the elements of several
     * parts, one after the other, are those of the whole.
     */
    private static byte[] snappy(byte[] bytes, int length) throws IOException {
        ByteBuf packed = Unpooled.buffer(length / 2 + 64);
        byte[] preamble = new byte[CodedOutputStream.computeUInt32SizeNoTag(length)];
        CodedOutputStream.newInstance(preamble).writeUInt32NoTag(length);
        packed.writeBytes(preamble);
        Snappy snappy = new Snappy();
        for (int at = 0; at < length; at += SNAPPY_BYTES) {
            int part = Math.min(SNAPPY_BYTES, length - at);
            ByteBuf elements = Unpooled.buffer(part + part / 6 + 64);
            snappy.encode(Unpooled.wrappedBuffer(bytes, at, part), elements, part);
            snappy.reset();
            elements.skipBytes(CodedOutputStream.computeUInt32SizeNoTag(part));
            packed.writeBytes(elements);
        }
        byte[] body = new byte[packed.readableBytes()];
        packed.readBytes(body);
        return body;
    }

    /** The message in a body. */
    static byte[] unpacked(byte[] body) throws TickFile.DamagedFile {
        try {
            int length = CodedInputStream.newInstance(body).readUInt32();
            // Netty's decoder would trust it.
            if (length > 0 && length <= RATIO_MAX * body.length) {
                ByteBuf plain = Unpooled.buffer(length);
                new Snappy().decode(Unpooled.wrappedBuffer(body), plain);
                // It does not complain if there is too little.
                if (plain.readableBytes() == length) {
                    byte[] message = new byte[length];
                    plain.readBytes(message);
                    return message;
                }
            }
        } catch (IOException | DecompressionException | IndexOutOfBoundsException | IllegalArgumentException damaged) {
            throw damaged(damaged);
        }
        throw new TickFile.DamagedFile("a body is damaged: it has not the length that it gives");
    }

    private static TickFile.DamagedFile damaged(Exception why) {
        return new TickFile.DamagedFile("a body is damaged: " + why);
    }

    @Override
    public List<Rest> halves(byte[] body) throws TickFile.DamagedFile {
        byte[] whole = unpacked(body);
        try {
            List<Integer> begins = begins(whole);
            int middle = begins.get(begins.size() / 2);
            return List.of(
                    new Rest(snappy(whole, middle), begins.size() / 2),
                    new Rest(
                            snappy(Arrays.copyOfRange(whole, middle, whole.length), whole.length - middle),
                            begins.size() - begins.size() / 2));
        } catch (IOException noMessage) {
            throw damaged(noMessage);
        }
    }

    private static List<Integer> begins(byte[] whole) throws IOException {
        List<Integer> begins = new ArrayList<>();
        CodedInputStream in = CodedInputStream.newInstance(whole);
        for (int at = 0; !in.isAtEnd(); at = in.getTotalBytesRead()) {
            begins.add(at);
            in.skipField(in.readTag());
        }
        return begins;
    }

    @Override
    public String first(byte[] body) throws TickFile.DamagedFile {
        byte[] message = unpacked(body);
        try {
            return labels(message);
        } catch (IOException noMessage) {
            throw damaged(noMessage);
        }
    }

    /** The labels of the first series in a message. */
    private static String labels(byte[] message) throws IOException {
        CodedInputStream in = CodedInputStream.newInstance(message);
        in.readTag();
        in.pushLimit(in.readUInt32());
        StringBuilder labels = new StringBuilder("{");
        while (!in.isAtEnd() && WireFormat.getTagFieldNumber(in.readTag()) == 1) {
            int limit = in.pushLimit(in.readUInt32());
            in.readTag();
            labels.append(labels.length() == 1 ? "" : ",")
                    .append(in.readString())
                    .append("=\"");
            in.readTag();
            labels.append(in.readString()).append('"');
            in.popLimit(limit);
        }
        return labels.append('}').toString();
    }

    /**
     * By the specification, 429 and 5xx are tried again, and no other errors; in addition, those of a login or an address are,
     * because they say nothing about the points. Prometheus before 2.51 also answers 500 because of a point, so its words
     * decide first.
     */
    @Override
    public Answer read(int status, Duration wait, BoundedText body, int points) throws IOException {
        body.readBeginning();
        if (status / 100 == 2) {
            return new Answer.Taken();
        }
        if (status == TOO_LARGE && points > 1) {
            return new Answer.TooLarge();
        }
        String why = "answered " + status + ": " + body.beginning();
        if (status == FAILED) {
            Optional<Answer.Refused> refused = Answer.Refused.byWords(status, body.beginning());
            return refused.isPresent() ? refused.get() : new Answer.Failed(why, wait);
        }
        return status / 100 == 4 && status != TOO_MANY && !Answer.isOfAccess(status)
                ? Answer.Refused.of(status, body.beginning())
                : new Answer.Trouble(why, false, wait);
    }
}
