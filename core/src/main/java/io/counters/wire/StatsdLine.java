package io.counters.wire;

/** Reads a StatsD line. */
final class StatsdLine {
    private StatsdLine() {}

    /** Where a line ends without the NULs, the blanks and the line break that some clients leave there. */
    static int textEnd(byte[] in, int begin, int end) {
        int at = end;
        while (at > begin && isBlank(in[at - 1])) {
            at--;
        }
        return at;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t' || b == '\r' || b == '\n' || b == 0;
    }
}
