package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Outcome.Rest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** Bodies of OpenTSDB's {@code /api/put}: JSON, gzipped. */
final class PutBodies implements PointFormat {
    /** The maximum points of a body for each KiB of it, so that a TSD needs a moment for it, not seconds. */
    private static final int POINTS_A_KIB = 128;

    private static final byte[] METRIC = "{\"metric\":\"".getBytes(US_ASCII);
    private static final byte[] TAGS = ",\"tags\":{".getBytes(US_ASCII);

    private final Series series;
    private final byte[] prefix;
    private final byte[] added;
    private byte[] json = new byte[64 * 1024];
    private int length;

    PutBodies(Series series) {
        this.series = series;
        prefix = series.prefix().getBytes(US_ASCII);
        added = members(series.tags());
    }

    private static byte[] members(List<Series.Tag> tags) {
        StringBuilder members = new StringBuilder();
        for (Series.Tag tag : tags) {
            members.append(members.length() == 0 ? "\"" : ",\"").append(tag.key());
            members.append("\":\"").append(tag.value()).append('"');
        }
        return members.toString().getBytes(US_ASCII);
    }

    @Override
    public String server() {
        return "OpenTSDB";
    }

    @Override
    public Map<String, String> headers() {
        return Map.of("Content-Type", "application/json", "Content-Encoding", "gzip");
    }

    @Override
    public Duration patience() {
        return Duration.ofSeconds(5);
    }

    @Override
    public int pointsMax(int bytesMax) {
        return Math.max(1, bytesMax / 1024 * POINTS_A_KIB);
    }

    @Override
    public byte[] pack(long second, Snapshot values, int begin, int end) {
        byte[] timestamp = ("\",\"timestamp\":" + second + ",\"value\":").getBytes(US_ASCII);
        return gzip(json(timestamp, values, begin, end), 0, length);
    }

    @Override
    public List<Rest> halves(byte[] body) throws TickFile.DamagedFile {
        List<String> points = points(body);
        int middle = points.size() / 2;
        return List.of(part(points.subList(0, middle)), part(points.subList(middle, points.size())));
    }

    /** Some of the {@link #points} of a body as a body of their own. */
    static Rest part(List<String> points) {
        return new Rest(pack(points), points.size());
    }

    @Override
    public String first(byte[] body) throws TickFile.DamagedFile {
        return points(body).get(0);
    }

    @Override
    public Answer read(int status, Duration wait, BoundedText body, int points) throws IOException {
        return PutResponse.read(status, body, points);
    }

    /** The characters of names and numbers need no escaping in JSON. */
    private byte[] json(byte[] timestamp, Snapshot values, int begin, int end) {
        length = 0;
        for (int i = begin; i < end; i++) {
            room(1024);
            json[length++] = (byte) (i == begin ? '[' : ',');
            String name = values.names()[i];
            int comma = name.indexOf(',');
            append(METRIC);
            append(prefix);
            append(name, 0, comma < 0 ? name.length() : comma);
            append(timestamp);
            append(Long.toString(values.values()[i]));
            append(TAGS);
            for (int at = comma; at >= 0; ) {
                int equals = name.indexOf('=', at);
                int next = name.indexOf(',', equals);
                append(at == comma ? "\"" : ",\"");
                append(name, at + 1, equals);
                append("\":\"");
                append(name, equals + 1, next < 0 ? name.length() : next);
                json[length++] = '"';
                at = next;
            }
            List<Series.Tag> tags = series.added(name);
            if (!tags.isEmpty()) {
                append(comma < 0 ? "" : ",");
                append(tags.size() == series.tags().size() ? added : members(tags));
            }
            json[length++] = '}';
            json[length++] = '}';
        }
        json[length++] = ']';
        return json;
    }

    private void room(int more) {
        int needed = length + more + prefix.length + added.length;
        if (needed > json.length) {
            json = Arrays.copyOf(json, Math.max(needed, 2 * json.length));
        }
    }

    private void append(byte[] bytes) {
        System.arraycopy(bytes, 0, json, length, bytes.length);
        length += bytes.length;
    }

    private void append(String ascii, int from, int to) {
        for (int i = from; i < to; i++) {
            json[length++] = (byte) ascii.charAt(i);
        }
    }

    private void append(String ascii) {
        append(ascii, 0, ascii.length());
    }

    /** Packs a body. */
    static byte[] gzip(byte[] plain, int from, int length) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(length / 8 + 64);
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed, 4096)) {
            gzip.write(plain, from, length);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
        return packed.toByteArray();
    }

    /** The JSON of a body, an array of points. */
    static String json(byte[] gzipped) throws TickFile.DamagedFile {
        String json;
        try (GZIPInputStream gzip = new GZIPInputStream(new ByteArrayInputStream(gzipped))) {
            json = new String(gzip.readAllBytes(), US_ASCII);
        } catch (IOException notGzip) {
            throw new TickFile.DamagedFile("a body is damaged: " + notGzip);
        }
        if (!json.startsWith("[{") || !json.endsWith("}]")) {
            throw new TickFile.DamagedFile("a body is damaged: it is no array of points");
        }
        return json;
    }

    /** The JSON of each point of a body, unchanged. */
    static List<String> points(byte[] gzipped) throws TickFile.DamagedFile {
        String json = json(gzipped);
        List<String> points = new ArrayList<>();
        int begin = 1;
        for (int end = json.indexOf("}},", begin); end >= 0; end = json.indexOf("}},", begin)) {
            points.add(json.substring(begin, end + 2));
            begin = end + 3;
        }
        points.add(json.substring(begin, json.length() - 1));
        return points;
    }

    /** A body of some of the {@link #points} of another one. */
    static byte[] pack(List<String> points) {
        byte[] json = ("[" + String.join(",", points) + "]").getBytes(US_ASCII);
        return gzip(json, 0, json.length);
    }
}
