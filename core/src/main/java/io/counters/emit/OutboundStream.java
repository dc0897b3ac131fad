package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.DatagramWriter;
import io.counters.wire.Verb;
import java.util.Arrays;

/**
 * All datagrams of one sender to one destination: the stream's id, its age, the numbers of its datagrams, and the total
 * of each verb of each counter, which only grows.
 *
 * <p>A counter gets a place here when an amount of it is first assigned. A line is a place and a verb:
 * {@code 2 * place} for increments, plus 1 for decrements. A counter takes 56 to 112 bytes in the stream of the
 * collector that owns it (arrays double), and 4 to 8 bytes in other streams. Not thread-safe.
 */
final class OutboundStream {
    /** From this many sweeps after its last change on, a total is repeated once in this many sweeps. */
    static final int REPEAT_SWEEPS = 64;

    private final byte[] id;
    private final long bornNanos;
    private final long bornWallMillis;
    private final boolean totalsSent;

    /** A counter's place plus 1, by its index in the {@link CounterTable}; 0 if it has none. */
    private int[] placed = new int[64];

    private int[] counters = new int[32];
    private long[] total = new long[64];
    private long[] fresh = new long[64];
    private long[] changed = new long[64];
    private int lines;
    private long sweeps;

    /** The sweeps before the last change of any total. */
    private long changedLast;

    private long seq;

    /**
     * A stream that begins now, by two clocks.
     *
     * @param id at least 96 random bits in 16 to 64 characters
     */
    OutboundStream(String id, long nowNanos, long nowWallMillis, boolean totalsSent) {
        this.id = id.getBytes(ISO_8859_1);
        this.bornNanos = nowNanos;
        this.bornWallMillis = nowWallMillis;
        this.totalsSent = totalsSent;
    }

    /**
     * Takes over an amount, or part of it. This stream sends what it has taken over, and repeats it in its totals.
     *
     * @return how much was taken over: all, except what exceeds the limits of one line
     */
    long assign(int counter, long amount) {
        int line = line(counter, amount > 0 ? Verb.INCREMENT : Verb.DECREMENT);
        // Long.MIN_VALUE has no positive counterpart. As with any amount that is too large, the rest is assigned next
        // time.
        long size = amount == Long.MIN_VALUE ? CommandReader.AMOUNT_MAX : Math.abs(amount);
        long taken = Math.min(size, CommandReader.AMOUNT_MAX - fresh[line]);
        taken = Math.min(taken, Long.MAX_VALUE - total[line]);
        total[line] += taken;
        fresh[line] += taken;
        changed[line] = sweeps;
        changedLast = sweeps;
        return verb(line).signed(taken);
    }

    private int place(int counter) {
        if (counter >= placed.length) {
            placed = Arrays.copyOf(placed, Integer.highestOneBit(counter) * 2);
        }
        if (placed[counter] == 0) {
            int place = lines / 2;
            if (place == counters.length) {
                // Assign all of them or none: after an OutOfMemoryError the next sweep continues from here.
                int[] moreCounters = Arrays.copyOf(counters, 2 * place);
                long[] moreTotal = Arrays.copyOf(total, 4 * place);
                long[] moreFresh = Arrays.copyOf(fresh, 4 * place);
                changed = Arrays.copyOf(changed, 4 * place);
                fresh = moreFresh;
                total = moreTotal;
                counters = moreCounters;
            }
            counters[place] = counter;
            placed[counter] = place + 1;
            lines += 2;
        }
        return placed[counter] - 1;
    }

    private int line(int counter, Verb verb) {
        return 2 * place(counter) + (verb == Verb.INCREMENT ? 0 : 1);
    }

    /** Whether a total has nearly reached its maximum, so that a new stream must begin. */
    boolean isFull(int counter) {
        if (counter >= placed.length || placed[counter] == 0) {
            return false;
        }
        int line = 2 * (placed[counter] - 1);
        return Math.max(total[line], total[line + 1]) > Long.MAX_VALUE - CommandReader.AMOUNT_MAX;
    }

    /** Whether anything was sent. */
    boolean hasSent() {
        return seq > 0;
    }

    /** Whether each total was repeated as often as a total is in {@value #REPEAT_SWEEPS} sweeps after its last change. */
    boolean isRepeated() {
        return sweeps - changedLast > REPEAT_SWEEPS;
    }

    /** Lets this stream, if it sends totals, send only these: an amount that was not sent yet is only in its total. */
    void settle() {
        if (totalsSent) {
            Arrays.fill(fresh, 0, lines, 0);
        }
    }

    /** The difference between the monotonic and the wall clock since this stream began, in milliseconds. */
    long driftMillis(long nowNanos, long nowWallMillis) {
        return Math.abs((nowNanos - bornNanos) / 1_000_000 - (nowWallMillis - bornWallMillis));
    }

    /**
     * Sends the totals that changed and those that are due for repetition.
     *
     * @param table has the names of the counters
     */
    void sweep(CounterTable table, long nowNanos, long nowWallMillis, DatagramWriter writer, Transport transport) {
        send(false, table, nowNanos, nowWallMillis, writer, transport);
        sweeps++;
    }

    /** Sends every line. */
    void repeatAll(CounterTable table, long nowNanos, long nowWallMillis, DatagramWriter writer, Transport transport) {
        send(true, table, nowNanos, nowWallMillis, writer, transport);
    }

    private void send(
            boolean all,
            CounterTable table,
            long nowNanos,
            long nowWallMillis,
            DatagramWriter writer,
            Transport transport) {
        long age = Math.max(0, Math.max((nowNanos - bornNanos) / 1_000_000, nowWallMillis - bornWallMillis));
        int begin = 0;
        while (begin < lines) {
            writer.limit(transport.datagramBytes());
            if (transport.isSignable()) {
                writer.clearToSign(nowWallMillis);
            } else {
                writer.clear();
            }
            int end = write(begin, all, table, age, writer);
            if (writer.length() == 0) {
                return;
            }
            writer.sign();
            if (transport.send(writer.buffer(), writer.length())) {
                seq++;
                Arrays.fill(fresh, begin, end, 0);
                begin = end;
            }
        }
    }

    /** Writes what is due into a datagram, starting at a line; returns the first line for which it had no room. */
    private int write(int begin, boolean all, CounterTable table, long age, DatagramWriter writer) {
        for (int line = begin; line < lines; line++) {
            if (fresh[line] == 0 && !(totalsSent && total[line] != 0 && (all || isDue(sweeps - changed[line])))) {
                continue;
            }
            if (totalsSent && writer.length() == 0) {
                writer.from(id, age, seq + 1);
            }
            if (!writer.command(
                    verb(line),
                    table.name(counters[line >> 1]),
                    fresh[line],
                    totalsSent ? total[line] : Commands.NO_TOTAL)) {
                return line;
            }
        }
        return lines;
    }

    private static Verb verb(int line) {
        return (line & 1) == 0 ? Verb.INCREMENT : Verb.DECREMENT;
    }

    private static boolean isDue(long quietSweeps) {
        return quietSweeps > 0
                && (quietSweeps % REPEAT_SWEEPS == 0
                        || (quietSweeps < REPEAT_SWEEPS && Long.bitCount(quietSweeps) == 1));
    }
}
