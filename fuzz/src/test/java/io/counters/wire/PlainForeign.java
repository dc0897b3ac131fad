package io.counters.wire;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Lines of HTTP and TLS by their words: a second reading, which knows nothing of {@link ForeignProtocol}. Without patterns, because
 * the fuzzer follows each step of theirs.
 */
public final class PlainForeign {
    private static final List<String> METHODS =
            List.of("GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "DELETE ", "PATCH ", "CONNECT ", "TRACE ");
    private static final Set<String> HEADERS = Set.of(
            "host",
            "origin",
            "referer",
            "user-agent",
            "accept",
            "connection",
            "cookie",
            "cache-control",
            "transfer-encoding",
            "upgrade");
    private static final List<String> HEADER_BEGINNINGS = List.of("content-", "accept-", "upgrade-", "sec-");
    private static final String VERSION = " HTTP/";

    private PlainForeign() {}

    /**
     * Whether a line without its line break is one of HTTP or the beginning of TLS. One that is too long is cut after the first
     * character too many.
     */
    public static boolean isForeign(String line, int charsMax) {
        boolean isCut = line.length() > charsMax;
        String seen = isCut ? line.substring(0, charsMax + 1) : line;
        return isTls(seen)
                || METHODS.stream().filter(seen::startsWith).anyMatch(method -> isRequest(seen, method.length(), isCut))
                || isHeader(seen);
    }

    /** Whether a stream begins like TLS. */
    public static boolean isTls(String stream) {
        return stream.startsWith("\26\3");
    }

    /** A version at the end, with at most three characters after its first digit; of a cut line, a path or an address. */
    private static boolean isRequest(String line, int pathAt, boolean isCut) {
        int version = line.lastIndexOf(VERSION);
        int digit = version + VERSION.length();
        boolean hasVersion = version >= pathAt - 1
                && digit < line.length()
                && line.charAt(digit) >= '0'
                && line.charAt(digit) <= '9'
                && line.length() - digit <= 4;
        String path = line.substring(pathAt);
        return hasVersion || (isCut && (path.startsWith("/") || path.regionMatches(true, 0, "http", 0, 4)));
    }

    /** A name that browsers send, and after its colon a blank, nothing, or no bar. */
    private static boolean isHeader(String line) {
        int colon = line.indexOf(':');
        String name = line.substring(0, Math.max(0, colon)).toLowerCase(Locale.ROOT);
        boolean isName = HEADERS.contains(name)
                || (HEADER_BEGINNINGS.stream().anyMatch(name::startsWith)
                        && name.chars().allMatch(letter -> letter == '-' || (letter >= 'a' && letter <= 'z')));
        String value = line.substring(colon + 1);
        return isName && (value.startsWith(" ") || value.startsWith("\t") || value.indexOf('|') < 0);
    }
}
