package io.counters.collector.self;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Logs the same fault at once, and then once a minute with how often it came and from which addresses most. What it logs
 * is one line, whatever is in it, but for a stack trace. For any thread; never to be called under the ledger's lock, as it writes.
 */
public final class FaultLog {
    private static final long PAUSE_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int KINDS_MAX = 200;
    private static final int OTHERS_MAX = 4;
    private static final String REJECTED = "rejected ";
    static final int SHOWN_BYTES_MAX = 80;
    private static final int MESSAGE_CHARS_MAX = 2000;
    private static final int SHOWN_CHARS_MAX = 300;

    private final Logger log;
    private final LongSupplier nanoClock;
    private final Map<String, Fault> faults = new HashMap<>();

    /** By reason; each of them is one of {@link #faults}, too. In the order in which they came first. */
    private final Map<String, Rejected> rejected = new LinkedHashMap<>();

    /** All kinds of faults that came after the first {@value #KINDS_MAX}. */
    private final Fault others = new Fault();

    private static final class Fault {
        boolean wasSaid;
        long saidNanos;
        long kept;

        @Nullable
        WorstAddresses worst;

        boolean isDue(long now) {
            return !wasSaid || now - saidNanos >= PAUSE_NANOS;
        }
    }

    /** The lines that were rejected for one reason. */
    private static final class Rejected {
        final String kind;
        final String rule;
        final Examples examples = new Examples();
        long lines;

        Rejected(String reason, String rule) {
            kind = REJECTED + reason;
            this.rule = rule;
        }
    }

    /** @param nanoClock monotonic: a fault is said again a minute later, whatever becomes of the wall clock */
    public FaultLog(Logger log, LongSupplier nanoClock) {
        this.log = log;
        this.nanoClock = nanoClock;
    }

    /**
     * Tells of a fault that healed or will.
     *
     * @param kind what makes it the same fault; of a few kinds only
     */
    public void warn(String kind, String message) {
        warn(kind, AddressKey.UNKNOWN, 1, () -> message);
    }

    /** The same, of a message that is made only when it is said. */
    public void warn(String kind, Supplier<String> message) {
        warn(kind, AddressKey.UNKNOWN, 1, message);
    }

    /** The same, of an internal error, whose stack trace is logged with it. */
    public void warn(String kind, String message, Throwable fault) {
        warn(kind, AddressKey.UNKNOWN, 1, () -> message, fault);
    }

    /**
     * The same, of a fault that somebody else has caused. Allocates nothing, unless it is said or the first of its kind.
     *
     * @param address the {@link AddressKey} of who it was
     */
    public void warn(String kind, long address, Supplier<String> message) {
        warn(kind, address, 1, message);
    }

    /** The same, of one that came more than once. */
    public void warn(String kind, long address, long times, Supplier<String> message) {
        warn(kind, address, times, message, null);
    }

    /**
     * Tells of lines of somebody else's that were not taken, and keeps the first of them as an example of its sender: see
     * {@link #rejectedLines}. Allocates nothing, unless it is said or the first of its kind.
     *
     * @param reason a word; of a few only
     * @param rule that they broke
     * @param times how many lines there were
     * @param in the first is {@code in[begin, end)}; where it is very long its beginning is enough
     */
    public void rejected(
            String reason,
            String rule,
            Sender from,
            long times,
            byte[] in,
            int begin,
            int end,
            Supplier<String> message) {
        Fault fault;
        String repeated;
        synchronized (faults) {
            Rejected lines = rejected.get(reason);
            if (lines == null) {
                lines = new Rejected(reason, rule);
                rejected.put(reason, lines);
            }
            long now = nanoClock.getAsLong();
            lines.lines += times;
            lines.examples.add(from, times, in, begin, end, now);
            fault = fault(lines.kind);
            String others =
                    fault.isDue(now) && fault.wasSaid ? lines.examples.others(from, fault.saidNanos, OTHERS_MAX) : "";
            repeated = repeated(fault, from.addressKey(), times, now);
            if (repeated == null) {
                return;
            }
            repeated = others + repeated;
        }
        say(fault, message, repeated, null);
    }

    /** The lines that were rejected so far, by reason. */
    public List<RejectedLines> rejectedLines() {
        synchronized (faults) {
            long now = nanoClock.getAsLong();
            return rejected.entrySet().stream()
                    .map(reason -> new RejectedLines(
                            reason.getKey(),
                            reason.getValue().rule,
                            reason.getValue().lines,
                            reason.getValue().examples.all(now)))
                    .toList();
        }
    }

    private void warn(
            String kind, long address, long times, Supplier<String> message, @Nullable Throwable internalError) {
        Fault fault;
        String repeated;
        synchronized (faults) {
            fault = fault(kind);
            repeated = repeated(fault, address, times, nanoClock.getAsLong());
        }
        if (repeated != null) {
            say(fault, message, repeated, internalError);
        }
    }

    /** Takes note of a fault; returns how often it came since it was last said, or null where it is not to be said now. */
    private static @Nullable String repeated(Fault fault, long address, long times, long now) {
        if (!fault.isDue(now)) {
            keep(fault, address, times);
            return null;
        }
        String repeated = fault.kept == 0 ? "" : repeated(fault);
        fault.wasSaid = true;
        fault.saidNanos = now;
        fault.kept = 0;
        if (fault.worst != null) {
            fault.worst.clear();
        }
        if (times > 1) {
            keep(fault, address, times - 1);
        }
        return repeated;
    }

    private void say(Fault fault, Supplier<String> message, String repeated, @Nullable Throwable internalError) {
        String said = safe(message.get(), MESSAGE_CHARS_MAX);
        if (fault == others) {
            log.warn(
                    "{} ({} kinds of faults were logged before; all others share this line){}",
                    said,
                    KINDS_MAX,
                    repeated,
                    internalError);
        } else {
            log.warn("{}{}", said, repeated, internalError);
        }
    }

    private Fault fault(String kind) {
        Fault fault = faults.get(kind);
        if (fault == null) {
            if (faults.size() >= KINDS_MAX) {
                return others;
            }
            fault = new Fault();
            faults.put(kind, fault);
        }
        return fault;
    }

    private static void keep(Fault fault, long address, long times) {
        fault.kept += times;
        if (address != AddressKey.UNKNOWN) {
            if (fault.worst == null) {
                fault.worst = new WorstAddresses();
            }
            fault.worst.add(address, times);
        }
    }

    private static String repeated(Fault fault) {
        String worst = fault.worst == null ? "" : fault.worst.toString();
        return String.format(
                Locale.ROOT,
                " (and %,d times since this was last said%s)",
                fault.kept,
                worst.isEmpty() ? "" : "; most from " + worst);
    }

    /** Bytes that somebody sent, {@code in[begin, end)}, as a log may show them: cut, and on one line. */
    public static String shown(byte[] in, int begin, int end) {
        String text = new String(in, begin, Math.min(end - begin, SHOWN_BYTES_MAX), ISO_8859_1);
        return text.replaceAll("[^ -~]", "?") + (end - begin > SHOWN_BYTES_MAX ? "..." : "");
    }

    /**
     * A text that may hold somebody else's, as a log may show it: cut, and on one line. What would begin a line, move the
     * cursor, color, reverse or hide the rest becomes a question mark.
     */
    public static String shown(String text) {
        return safe(text, SHOWN_CHARS_MAX);
    }

    private static String safe(String text, int charsMax) {
        StringBuilder shown = new StringBuilder(Math.min(text.length(), charsMax) + 3);
        for (int at = 0; at < text.length(); at = text.offsetByCodePoints(at, 1)) {
            if (at >= charsMax) {
                return shown.append("...").toString();
            }
            int letter = text.codePointAt(at);
            switch (Character.getType(letter)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.SURROGATE -> shown.append('?');
                default -> shown.appendCodePoint(letter);
            }
        }
        return shown.toString();
    }
}
