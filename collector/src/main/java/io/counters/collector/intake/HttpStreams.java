package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;
import java.util.List;

/**
 * The streams that a collector makes of what comes by HTTP. In a fleet, an owner gets their lines from other collectors, and
 * only the ID tells that they came by HTTP. A stranger gains nothing by it: it chooses no ID of a signed datagram. A holder of a
 * key that sends datagrams under such an ID exposes only its own datagrams to a replay.
 */
public final class HttpStreams {
    /** Begins the IDs of OTLP's streams. */
    public static final String OTLP = "otlp:";

    /** Begins the IDs of the streams of requests with a key. */
    public static final String POST = "post:";

    private static final List<byte[]> BEGINNINGS = List.of(OTLP.getBytes(ISO_8859_1), POST.getBytes(ISO_8859_1));

    private HttpStreams() {}

    /** Whether {@code bytes[begin, end)} is the ID of one. */
    public static boolean has(byte[] bytes, int begin, int end) {
        for (byte[] beginning : BEGINNINGS) {
            int length = beginning.length;
            if (end - begin > length && Arrays.equals(bytes, begin, begin + length, beginning, 0, length)) {
                return true;
            }
        }
        return false;
    }
}
