package io.counters.collector.proxy;

import io.counters.wire.PlainForeign;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The messages in bytes, as the description of {@link MessageParser} has them: a second reading, which knows nothing of the first.
 * Each byte is one character. Without patterns, because the fuzzer follows each step of theirs.
 */
final class PlainMessages {
    private static final int LINE_CHARS_MAX = 65_536;
    private static final char FRAME = 0xAA;
    private static final int SET = 4;

    private static final Set<String> TYPES = Set.of("c", "g", "s", "h", "d", "m", "k", "ms", "kv");
    private static final List<String> OWN = List.of("increment ", "decrement ", "from ", "signed ");

    private final String text;
    private final boolean isStream;
    private final List<String> all = new ArrayList<>();

    private PlainMessages(String text, boolean isStream) {
        this.text = text;
        this.isStream = isStream;
    }

    static String message(String whole, String key) {
        return whole + " has the key " + key;
    }

    static String command(String line) {
        return "command " + line;
    }

    /** All messages, commands and reasons of refusals. What is left at the end is refused in a stream only. */
    static List<String> of(String text, boolean isStream) {
        PlainMessages read = new PlainMessages(text, isStream);
        read.read();
        return read.all;
    }

    private void read() {
        if (isStream && PlainForeign.isTls(text)) {
            all.add("TLS");
            return;
        }
        OptionalInt at = OptionalInt.of(0);
        while (at.isPresent() && at.getAsInt() < text.length()) {
            int begin = at.getAsInt();
            at = text.charAt(begin) == FRAME ? frame(begin) : line(begin);
        }
    }

    /** What ends the reading. */
    private OptionalInt ends(String why) {
        if (isStream || !why.endsWith("_CUT")) {
            all.add(why);
        }
        return OptionalInt.empty();
    }

    private OptionalInt line(int begin) {
        int end = text.indexOf('\n', begin);
        String line = text.substring(begin, end < 0 ? text.length() : end);
        if (end < 0 && (line.length() <= LINE_CHARS_MAX + 1 || !isStream)) {
            return ends("LINE_CUT");
        }
        String plain = end >= 0 && line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
        if (isStream && PlainForeign.isForeign(plain, LINE_CHARS_MAX)) {
            return ends(PlainForeign.isTls(plain) ? "TLS" : "HTTP");
        }
        if (plain.length() > LINE_CHARS_MAX) {
            all.add("LINE_TOO_LONG");
        } else if (OWN.stream().anyMatch(plain::startsWith)) {
            all.add(command(line + "\n"));
        } else if (!plain.isEmpty()) {
            String why = why(plain);
            all.add(why.isEmpty() ? message(line + "\n", plain.substring(0, plain.indexOf(':'))) : why);
        }
        return end < 0 ? OptionalInt.empty() : OptionalInt.of(end + 1);
    }

    /** The reason why a line is refused; empty for {@code key:value|type}, whatever follows. */
    private static String why(String line) {
        int colon = line.indexOf(':');
        int bar = line.indexOf('|', Math.max(0, colon));
        if (colon <= 0) {
            return colon < 0 ? "NO_COLON" : "EMPTY_KEY";
        }
        if (bar <= colon + 1) {
            return bar < 0 ? "NO_TYPE" : "EMPTY_VALUE";
        }
        int end = bar + 1;
        while (end < line.length() && line.charAt(end) != '|' && line.charAt(end) != ':') {
            end++;
        }
        int typeEnd = end;
        // At the end of a line there may be blanks.
        while (end == line.length() && typeEnd > bar + 1 && " \t\0".indexOf(line.charAt(typeEnd - 1)) >= 0) {
            typeEnd--;
        }
        return TYPES.contains(line.substring(bar + 1, typeEnd)) ? "" : "UNKNOWN_TYPE";
    }

    private OptionalInt frame(int begin) {
        int left = text.length() - begin;
        int type = left < 2 ? SET : text.charAt(begin + 1);
        if (type < 1 || type > 6) {
            return ends("BINARY_TYPE");
        }
        if (left < 6) {
            return ends("BINARY_CUT");
        }
        int keyLength = text.charAt(begin + 2) + 256 * text.charAt(begin + 3);
        int setLength = type == SET ? text.charAt(begin + 4) + 256 * text.charAt(begin + 5) : 0;
        int key = begin + (type == SET ? 6 : 12);
        if (keyLength < 2) {
            return ends("BINARY_KEY");
        }
        if (type == SET && setLength < 1) {
            return ends("BINARY_SET");
        }
        int set = key + keyLength;
        int end = set + setLength;
        if (end > text.length()) {
            return ends("BINARY_CUT");
        }
        if (text.indexOf(0, key) != set - 1) {
            return ends("BINARY_KEY");
        }
        if (type == SET && text.indexOf(0, set) != end - 1) {
            return ends("BINARY_SET");
        }
        all.add(message(text.substring(begin, end), text.substring(key, set - 1)));
        return OptionalInt.of(end);
    }
}
