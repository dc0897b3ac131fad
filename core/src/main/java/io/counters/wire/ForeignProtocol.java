package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/**
 * Recognizes a protocol that has no business on a port for counts. Any web page can have a browser POST to such a port: the
 * body would be read line by line, and would count. The request line and the headers come first, and give it away. Who sees
 * one closes the connection. Pure; allocates nothing.
 */
public final class ForeignProtocol {
    /** As HTTP has them: of capitals only. */
    private static final byte[][] METHODS =
            bytes("GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "DELETE ", "PATCH ", "CONNECT ", "TRACE ");

    /** In lower case. A word that ends in a colon is a header, in a hyphen the beginning of one. */
    private static final byte[][] HEADERS = bytes(
            "host:",
            "origin:",
            "referer:",
            "user-agent:",
            "content-",
            "accept:",
            "accept-",
            "connection:",
            "cookie:",
            "cache-control:",
            "transfer-encoding:",
            "upgrade:",
            "upgrade-",
            "sec-");

    /** By a hash of the first four bytes: whether a method or a header begins so. Nearly every other line ends its look here. */
    private static final boolean[] BEGINNINGS = new boolean[1024];

    private static final int BEGINNING_BYTES = 4;
    private static final byte[] SCHEME = "http".getBytes(ISO_8859_1);
    private static final byte[] VERSION = " HTTP/".getBytes(ISO_8859_1);
    private static final int VERSION_BYTES_MAX = VERSION.length + "1.1".length();

    /** How a TLS connection begins: a handshake record of version 3.x. */
    private static final byte TLS_HANDSHAKE = 22;

    private static final byte TLS_MAJOR = 3;

    static {
        for (byte[] method : METHODS) {
            BEGINNINGS[beginning(method, 0)] = true;
        }
        for (byte[] header : HEADERS) {
            BEGINNINGS[beginning(header, 0)] = true;
        }
    }

    private ForeignProtocol() {}

    private static byte[][] bytes(String... words) {
        byte[][] bytes = new byte[words.length][];
        for (int i = 0; i < words.length; i++) {
            bytes[i] = words[i].getBytes(ISO_8859_1);
        }
        return bytes;
    }

    /**
     * Whether a line is one of HTTP or the beginning of TLS. A line longer than {@link CommandReader#LINE_BYTES_MAX} is
     * taken as cut.
     *
     * @param in the line is {@code in[begin, end)}, without its line break; where it is very long its beginning is enough
     */
    public static boolean isHttp(byte[] in, int begin, int end) {
        return isHttp(in, begin, end, end - begin <= CommandReader.LINE_BYTES_MAX);
    }

    /**
     * Whether a line on a TCP stream is one of HTTP: a request line, one of the headers that browsers send, or the
     * beginning of TLS. The names of headers are the same in upper and lower case.
     *
     * <p>StatsD lines may look alike. A key may begin as a request does, {@code GET /users:12|ms}: such a line has no
     * version of HTTP at its end, which every browser sends. A key may be the name of a header, {@code host:1|c}: such a
     * line has no blank behind the colon and a bar, which a header has not.
     *
     * @param in the line is {@code in[begin, end)}, without its line break
     * @param isWhole false where the end of the line is not there: a method and a path are enough then
     */
    public static boolean isHttp(byte[] in, int begin, int end, boolean isWhole) {
        if (end - begin < BEGINNING_BYTES || !BEGINNINGS[beginning(in, begin)]) {
            return isTls(in, begin, end);
        }
        for (byte[] method : METHODS) {
            if (startsExactly(in, begin, end, method)) {
                int rest = begin + method.length;
                return hasVersion(in, rest, end) || (!isWhole && hasPath(in, rest, end));
            }
        }
        for (byte[] header : HEADERS) {
            if (starts(in, begin, end, header)) {
                int rest = begin + header.length;
                if (isHeader(in, header[header.length - 1] == ':' ? rest - 1 : rest, end)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether bytes begin as a TLS connection does. */
    public static boolean isTls(byte[] in, int begin, int end) {
        return end - begin > 1 && in[begin] == TLS_HANDSHAKE && in[begin + 1] == TLS_MAJOR;
    }

    /** A hash of the first four bytes, of letters of either case: 0 to 1023. */
    private static int beginning(byte[] in, int at) {
        int four = in[at] << 24 | (in[at + 1] & 0xff) << 16 | (in[at + 2] & 0xff) << 8 | (in[at + 3] & 0xff);
        return ((four | 0x20202020) * 0x9E3779B1) >>> 22;
    }

    /** Whether a path, or all of an address, follows a method. */
    private static boolean hasPath(byte[] in, int begin, int end) {
        return (begin < end && in[begin] == '/') || starts(in, begin, end, SCHEME);
    }

    /** Whether a version of HTTP stands at the end of the line; a carriage return may follow it. */
    private static boolean hasVersion(byte[] in, int begin, int end) {
        for (int at = Math.max(begin - 1, end - VERSION_BYTES_MAX - 1); at < end - VERSION.length; at++) {
            byte digit = in[at + VERSION.length];
            if (digit >= '0' && digit <= '9' && startsExactly(in, at, end, VERSION)) {
                return true;
            }
        }
        return false;
    }

    /** @param begin where the name of a header goes on, or ends with its colon */
    private static boolean isHeader(byte[] in, int begin, int end) {
        int colon = begin;
        while (colon < end && isOfHeader(in[colon])) {
            colon++;
        }
        if (colon == end || in[colon] != ':') {
            return false;
        }
        int value = colon + 1;
        if (value == end || in[value] == ' ' || in[value] == '\t') {
            return true;
        }
        while (value < end && in[value] != '|') {
            value++;
        }
        return value == end;
    }

    private static boolean isOfHeader(byte b) {
        int lower = b | 0x20;
        return (lower >= 'a' && lower <= 'z') || b == '-';
    }

    private static boolean startsExactly(byte[] in, int begin, int end, byte[] with) {
        if (end - begin < with.length) {
            return false;
        }
        for (int i = 0; i < with.length; i++) {
            if (in[begin + i] != with[i]) {
                return false;
            }
        }
        return true;
    }

    /** @param with of lower-case letters and marks that have no case */
    private static boolean starts(byte[] in, int begin, int end, byte[] with) {
        if (end - begin < with.length) {
            return false;
        }
        for (int i = 0; i < with.length; i++) {
            byte b = in[begin + i];
            if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != with[i]) {
                return false;
            }
        }
        return true;
    }
}
