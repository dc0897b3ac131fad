package io.counters.collector.tap;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.common.Glob;
import io.counters.collector.http.Text;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.StatsdName;
import io.counters.wire.Verb;
import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The events of {@code /api/tap}: each line that was received, decoded, and each rejected one with its reason. At most {@code
 * linesMax} lines a second are sent, and at most {@value #READ_MAX} read at once; an event {@code left_out} says how many
 * were not.
 */
final class LineEvents implements Text, Commands {
    /** Longer rejected lines are cut. */
    static final int SHOWN_BYTES_MAX = 200;

    static final int READ_MAX = 2_000;
    private static final long SECOND_NANOS = 1_000_000_000;

    private final TapReader reader;
    private final Glob match;
    private final int linesMax;
    private final int nameBytesMax;
    private final LongSupplier nanoClock;
    private final CommandReader commands;
    private final Deque<String> decoded = new ArrayDeque<>();
    private boolean isAnnounced;
    private double allowance;
    private long allowedNanos;

    /** What the lines that are being read were received in. */
    private @Nullable Received from;

    private String sender = "";
    private long seq;

    private int read;
    private long matching;
    private long sent;
    private long datagramsNotRead;
    private boolean hasTold;
    private long toldNanos;

    /**
     * @param nameBytesMax longer names were rejected
     * @param statsdName reads the names of StatsD lines as the collector does; used here only
     */
    LineEvents(
            TapReader reader,
            Glob match,
            int linesMax,
            int nameBytesMax,
            StatsdName statsdName,
            LongSupplier nanoClock) {
        this.reader = reader;
        this.match = match;
        this.linesMax = linesMax;
        this.nameBytesMax = nameBytesMax;
        this.nanoClock = nanoClock;
        commands = new CommandReader(this, statsdName);
        allowance = linesMax;
        allowedNanos = nanoClock.getAsLong();
    }

    @Override
    public boolean append(StringBuilder out) {
        if (!reader.isOpen()) {
            return false;
        }
        if (!isAnnounced) {
            isAnnounced = true;
            out.append("event: open\ndata: {}\n\n");
        }
        String line = decoded.poll();
        if (line != null) {
            send(line, out);
            return true;
        }
        Received next = reader.next();
        if (next == null) {
            read = 0;
            leftOut(out);
            return false;
        }
        if (read >= READ_MAX) {
            datagramsNotRead++;
        } else {
            decode(next);
        }
        return true;
    }

    private void send(String line, StringBuilder out) {
        long now = nanoClock.getAsLong();
        allowance = Math.min(linesMax, allowance + (double) (now - allowedNanos) / SECOND_NANOS * linesMax);
        allowedNanos = now;
        if (allowance >= 1) {
            allowance--;
            sent++;
            out.append("event: line\ndata: ").append(line).append("\n\n");
        }
    }

    /** Tells what was left out, the first time at once, then at most once a second: people read it among the lines. */
    private void leftOut(StringBuilder out) {
        datagramsNotRead += reader.takeMissed();
        if (datagramsNotRead > 0 || sent < matching) {
            long now = nanoClock.getAsLong();
            if (hasTold && now - toldNanos < SECOND_NANOS) {
                return;
            }
            hasTold = true;
            toldNanos = now;
            out.append("event: left_out\ndata: {\"shown\": ").append(sent);
            out.append(", \"matching\": ").append(matching);
            out.append(", \"datagrams_not_read\": ").append(datagramsNotRead).append("}\n\n");
        }
        sent = 0;
        matching = 0;
        datagramsNotRead = 0;
    }

    private void decode(Received next) {
        from = next;
        sender = "";
        Rejection why = next.why();
        byte[] bytes = next.bytes();
        if (why != null) {
            read++;
            int length = Math.min(bytes.length, SHOWN_BYTES_MAX);
            String line = new String(bytes, 0, length, UTF_8) + (bytes.length > length ? "..." : "");
            if (match.matches(line)) {
                add(EventJson.of(next).put("rejected", why.reason()).put("line", line));
            }
        } else if (next.protocol().equals("TCP")) {
            commands.lines(bytes, 0, bytes.length);
        } else {
            commands.datagram(bytes, 0, bytes.length);
        }
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        sender = new String(bytes, begin, end - begin, ISO_8859_1);
        this.seq = seq;
    }

    @Override
    public void fromNobody() {
        sender = "";
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        EventJson line = name(bytes, begin, end);
        if (line != null) {
            line.put("amount", verb.signed(amount));
            if (total != NO_TOTAL) {
                line.put("total", total);
            }
            add(sender.isEmpty() ? line : line.put("sender", sender).put("seq", seq));
        }
    }

    @Override
    public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
        EventJson line = name(bytes, begin, end);
        if (line != null) {
            add(line.put(
                    "amount",
                    BigDecimal.valueOf(integer)
                            .add(BigDecimal.valueOf(rest, 18))
                            .stripTrailingZeros()));
        }
    }

    /** The beginning of an event about a counter; null if it does not match. */
    private @Nullable EventJson name(byte[] bytes, int begin, int end) {
        read++;
        if (from == null || end - begin > nameBytesMax) {
            return null;
        }
        String name = new String(bytes, begin, end - begin, ISO_8859_1);
        return match.matches(name) ? EventJson.of(from).put("name", name) : null;
    }

    private void add(EventJson line) {
        matching++;
        decoded.add(line.text());
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        // The tap has this line already, with the reason that the collector counts it by.
        read++;
    }
}
