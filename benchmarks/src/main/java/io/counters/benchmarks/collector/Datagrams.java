package io.counters.benchmarks.collector;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.wire.DatagramWriter;
import io.counters.wire.SigningKey;
import io.counters.wire.Verb;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Datagrams, or writes into a TCP stream, rendered before any clock starts. They are adjacent in one direct buffer, so
 * that the JDK need not copy them before it sends them.
 *
 * @param text all of them
 * @param ends where each ends and the next one begins
 * @param lines the number of lines of each, without from lines
 */
@SuppressWarnings("ArrayRecordComponent") // Never modified, and never compared.
record Datagrams(ByteBuffer text, int[] ends, int lines) {
    /**
     * StatsD lines {@code c0:1|c}, {@code c1:1|c} ... with {@code names} names, whose cycle ends with the last
     * datagram.
     */
    static Datagrams statsd(int names, int lines) {
        int count = names / gcd(names, lines);
        StringBuilder all = new StringBuilder();
        int[] ends = new int[count];
        int name = 0;
        for (int i = 0; i < count; i++) {
            for (int line = 0; line < lines; line++) {
                all.append('c').append(name).append(":1|c\n");
                name = (name + 1) % names;
            }
            ends[i] = all.length();
        }
        return new Datagrams(direct(all.toString().getBytes(US_ASCII)), ends, lines);
    }

    /** Like {@link #statsd}, but with commands, and with each name once: {@code increment PREFIX0}. */
    static Datagrams increments(String prefix, int names, int lines) {
        StringBuilder all = new StringBuilder();
        int[] ends = new int[names / lines];
        for (int i = 0; i < names; i++) {
            all.append("increment ").append(prefix).append(i).append('\n');
            if ((i + 1) % lines == 0) {
                ends[i / lines] = all.length();
            }
        }
        return new Datagrams(direct(all.toString().getBytes(US_ASCII)), ends, lines);
    }

    /** Any datagrams with {@code lines} lines each. */
    static Datagrams of(List<byte[]> datagrams, int lines) {
        ByteBuffer text = ByteBuffer.allocateDirect(
                datagrams.stream().mapToInt(datagram -> datagram.length).sum());
        int[] ends = new int[datagrams.size()];
        for (int i = 0; i < ends.length; i++) {
            ends[i] = text.put(datagrams.get(i)).position();
        }
        return new Datagrams(text, ends, lines);
    }

    int count() {
        return ends.length;
    }

    /** The bytes of one of them. */
    ByteBuffer get(int index) {
        return at(text.duplicate(), index);
    }

    /** Sets {@code view}, which is a duplicate of {@link #text}, to the bytes of one of them. */
    ByteBuffer at(ByteBuffer view, int index) {
        return view.limit(ends[index]).position(index == 0 ? 0 : ends[index - 1]);
    }

    private static int gcd(int one, int other) {
        return other == 0 ? one : gcd(other, one % other);
    }

    private static ByteBuffer direct(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length).put(bytes);
    }

    /**
     * Imitates a service under the agent: its datagrams begin with a from line, and their totals grow from one to the
     * next, so no datagram is the same as another.
     */
    static final class Agent {
        private static final int AGE_MILLIS = 60_000;
        private static final int FROM_BYTES_MAX = 60;
        private static final int SIGNED_BYTES_MAX = 87;

        /** The maximum for the names and totals used here. */
        private static final int LINE_BYTES_MAX = 28;

        private final byte[] id;
        private final byte[][] names;
        private final long[] totals;
        private final int lines;
        private final ByteBuffer text;
        private final int[] ends;
        private final DatagramWriter writer;
        private long seq;
        private int name;

        /**
         * @param id 16 to 64 random characters
         * @param datagrams the number of datagrams that each call of {@link #next} renders
         */
        Agent(String id, int names, int lines, int datagrams) {
            this(id, names, lines, datagrams, null);
        }

        /** @param key signs the datagrams; null if none is signed */
        Agent(String id, int names, int lines, int datagrams, @Nullable SigningKey key) {
            writer = new DatagramWriter(DatagramWriter.BYTES_DEFAULT, key);
            this.id = id.getBytes(US_ASCII);
            this.names = new byte[names][];
            for (int i = 0; i < names; i++) {
                this.names[i] = ("c" + i).getBytes(US_ASCII);
            }
            this.totals = new long[names];
            this.lines = lines;
            text = ByteBuffer.allocateDirect(datagrams * (SIGNED_BYTES_MAX + FROM_BYTES_MAX + lines * LINE_BYTES_MAX));
            ends = new int[datagrams];
        }

        /** Renders its next datagrams; each line adds 1 to a name. Overwrites those of the previous call. */
        Datagrams next() {
            text.clear();
            long now = System.currentTimeMillis();
            for (int i = 0; i < ends.length; i++) {
                writer.clearToSign(now);
                writer.from(id, AGE_MILLIS + seq, ++seq);
                for (int line = 0; line < lines; line++) {
                    if (!writer.command(Verb.INCREMENT, names[name], 1, ++totals[name])) {
                        throw new IllegalStateException(lines + " lines are too many for a datagram");
                    }
                    name = (name + 1) % names.length;
                }
                writer.sign();
                text.put(writer.buffer(), 0, writer.length());
                ends[i] = text.position();
            }
            return new Datagrams(text, ends, lines);
        }
    }
}
