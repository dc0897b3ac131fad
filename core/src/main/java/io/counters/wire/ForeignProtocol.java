package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/**
 * Recognizes HTTP and TLS, which do not belong on a port for counts. Any web page can make a browser POST to such a
 * port; the body would be read line by line, and would count. The request line and the headers precede the body, so
 * callers close the connection when they see one. Pure; allocates nothing.
 */
public final class ForeignProtocol {
    /** HTTP's methods are in upper case only. */
    private static final byte[][] METHODS =
            bytes("GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "DELETE ", "PATCH ", "CONNECT ", "TRACE ");

    /** In lower case. A word that ends in a colon is a complete header name; one that ends in a hyphen is a prefix. */
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

    /** By the hash of four bytes: whether a method or a header begins with them. Few other lines pass this check. */
    private static final boolean[] BEGINNINGS = new boolean[1024];

    private static final int BEGINNING_BYTES = 4;
    private static final byte[] SCHEME = "http".getBytes(ISO_8859_1);
    private static final byte[] VERSION = " HTTP/".getBytes(ISO_8859_1);
    private static final int VERSION_BYTES_MAX = VERSION.length + "1.1".length();

    /** A TLS connection begins with a handshake record of version 3.x. */
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
     * Whether a line belongs to HTTP or is the beginning of TLS. Of a line longer than {@link
     * CommandReader#LINE_BYTES_MAX} only the beginning decides.
     *
     * @param in the line is {@code in[begin, end)}, without its line break; of a longer line at least one byte more than
     *     the maximum
     */
    public static boolean isHttp(byte[] in, int begin, int end) {
        return isHttpOfAtMost(CommandReader.LINE_BYTES_MAX, in, begin, end);
    }

    /**
     * Whether a line belongs to HTTP or is the beginning of TLS, where lines have a maximum length. A longer line is treated
     * as cut off one byte after it, however much of it has arrived, so that the answer does not depend on that.
     *
     * @param bytesMax the maximum bytes of a line
     * @param in the line is {@code in[begin, end)}, without its line break; of a longer line at least one byte more than
     *     the maximum
     */
    public static boolean isHttpOfAtMost(int bytesMax, byte[] in, int begin, int end) {
        boolean isComplete = end - begin <= bytesMax;
        return isHttp(in, begin, isComplete ? end : begin + bytesMax + 1, isComplete);
    }

    /**
     * Whether a line on a TCP stream belongs to HTTP (a request line, or one of the headers that browsers send) or is
     * the beginning of TLS. Header names are compared without regard to case.
     *
     * <p>Some StatsD lines resemble HTTP. A key may begin like a request, {@code GET /users:12|ms}; such a line does
     * not end with a version of HTTP, but every browser's request does. A key may be the name of a header,
     * {@code host:1|c}; such a line has no blank after the colon and has a bar, but a header has no bar there.
     *
     * @param in the line is {@code in[begin, end)}, without its line break
     * @param isComplete false if the end of the line is missing; then a method and a path are enough
     */
    static boolean isHttp(byte[] in, int begin, int end, boolean isComplete) {
        if (end - begin < BEGINNING_BYTES || !BEGINNINGS[beginning(in, begin)]) {
            return isTls(in, begin, end);
        }
        for (byte[] method : METHODS) {
            if (startsExactly(in, begin, end, method)) {
                int rest = begin + method.length;
                return hasVersion(in, rest, end) || (!isComplete && hasPath(in, rest, end));
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
        return isTls(in, begin, end);
    }

    /** Whether bytes begin like a TLS connection. */
    public static boolean isTls(byte[] in, int begin, int end) {
        return end - begin > 1 && in[begin] == TLS_HANDSHAKE && in[begin + 1] == TLS_MAJOR;
    }

    /** A hash of the first four bytes, 0 to 1023; the same for letters in upper and lower case. */
    private static int beginning(byte[] in, int at) {
        int four = in[at] << 24 | (in[at + 1] & 0xff) << 16 | (in[at + 2] & 0xff) << 8 | (in[at + 3] & 0xff);
        return ((four | 0x20202020) * 0x9E3779B1) >>> 22;
    }

    /** Whether a path or an absolute URL follows a method. */
    private static boolean hasPath(byte[] in, int begin, int end) {
        return (begin < end && in[begin] == '/') || starts(in, begin, end, SCHEME);
    }

    /** Whether the line ends with a version of HTTP; a carriage return may follow it. */
    private static boolean hasVersion(byte[] in, int begin, int end) {
        for (int at = Math.max(begin - 1, end - VERSION_BYTES_MAX - 1); at < end - VERSION.length; at++) {
            byte digit = in[at + VERSION.length];
            if (digit >= '0' && digit <= '9' && startsExactly(in, at, end, VERSION)) {
                return true;
            }
        }
        return false;
    }

    /** @param begin where the header's name continues, or its colon */
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

    /** @param with consists of lower-case letters and of characters without case */
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
