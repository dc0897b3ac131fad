package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.collector.ledger.Snapshot;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Writes points as bodies of {@code /api/put}: JSON, gzipped, each of at most a number of bytes as it is sent. One body at a
 * time is in memory. For one thread.
 *
 * <p>How many points fit is known only after they are packed, so the last body's bytes per point are the estimate for the
 * next body; if the estimate was too low, fewer points are packed again.
 */
final class PutBodies {
    /** The target, a little below the bound, because points do not all pack equally well. */
    private static final double AIM = 0.93;

    /** The maximum points of a body for each KiB of it, so that a TSD needs a moment for it, not seconds. */
    private static final int POINTS_A_KIB = 128;

    private static final byte[] METRIC = "{\"metric\":\"".getBytes(US_ASCII);
    private static final byte[] TAGS = ",\"tags\":{".getBytes(US_ASCII);

    private final Series series;
    private final byte[] prefix;
    private final byte[] added;
    private final int bytesMax;
    private final int pointsMax;
    private byte[] json = new byte[64 * 1024];
    private int length;
    private double bytesAPoint = 20;

    /** Receives a body. */
    @FunctionalInterface
    interface Taker {
        void take(byte[] gzipped, int points) throws IOException;
    }

    /** @param bytesMax the maximum bytes of a body as it is sent; only one with a single point may be larger */
    PutBodies(Series series, int bytesMax) {
        this.series = series;
        this.bytesMax = bytesMax;
        pointsMax = Math.max(1, bytesMax / 1024 * POINTS_A_KIB);
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

    /** Passes all points of a tick to {@code taker}, body by body. */
    void write(long second, Snapshot values, Taker taker) throws IOException {
        byte[] timestamp = ("\",\"timestamp\":" + second + ",\"value\":").getBytes(US_ASCII);
        int begin = 0;
        while (begin < values.size()) {
            int points = (int) Math.max(1, Math.min(pointsMax, AIM * bytesMax / bytesAPoint));
            byte[] packed = null;
            while (packed == null) {
                points = Math.min(points, values.size() - begin);
                packed = gzip(json(timestamp, values, begin, begin + points), 0, length);
                bytesAPoint = (double) packed.length / points;
                if (packed.length > bytesMax && points > 1) {
                    packed = null;
                    points = Math.max(1, Math.min(points * 3 / 4, (int) (AIM * bytesMax / bytesAPoint)));
                }
            }
            taker.take(packed, points);
            begin += points;
        }
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
    static String json(byte[] gzipped) {
        try (GZIPInputStream gzip = new GZIPInputStream(new ByteArrayInputStream(gzipped))) {
            return new String(gzip.readAllBytes(), US_ASCII);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
    }

    /** The JSON of each point of a body, unchanged. */
    static List<String> points(byte[] gzipped) {
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
