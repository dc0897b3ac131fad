package io.counters.wire;

/** Where the parts of a StatsD line's name begin and end. Pure functions over bytes. */
final class StatsdNameParts {
    private StatsdNameParts() {}

    /** Where the tags of a name begin, at their delimiter; {@code end} if it has none. */
    static int tagsBegin(byte[] in, int begin, int end) {
        int lastEquals = end - 1;
        while (lastEquals >= begin && in[lastEquals] != '=') {
            lastEquals--;
        }
        for (int at = begin; at < lastEquals; at++) {
            byte b = in[at];
            if (b == ',' || b == ';' || b == '#') {
                return at;
            }
            if (b == '[') {
                int close = CommandReader.find(in, at, end, (byte) ']');
                if (close < end && CommandReader.find(in, at, close, (byte) '=') < close) {
                    return at;
                }
            }
        }
        return end;
    }

    /** Whether these bytes look like a value; there may be others behind its first digit. */
    static boolean isNumeric(byte[] in, int begin, int end) {
        int at = begin;
        if (at < end && (in[at] == '+' || in[at] == '-')) {
            at++;
        }
        if (at < end && in[at] == '.') {
            at++;
        }
        boolean isNumeric = at < end && in[at] >= '0' && in[at] <= '9';
        for (; isNumeric && at < end; at++) {
            byte b = in[at];
            isNumeric = (b >= '0' && b <= '9') || b == '.' || b == 'e' || b == 'E' || b == '+' || b == '-';
        }
        return isNumeric;
    }

    /** Where the UTF-8 code point that begins here ends; a byte that begins none is treated as one of its own. */
    static int codePointEnd(byte[] in, int begin, int end) {
        int first = in[begin] & 0xff;
        int length = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (begin + length > end) {
            return begin + 1;
        }
        for (int i = 1; i < length; i++) {
            if ((in[begin + i] & 0xc0) != 0x80) {
                return begin + 1;
            }
        }
        return begin + length;
    }
}
