package io.counters.collector.common;

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
 * Logs a fault at once, and then at most once a minute with the number of repetitions and the addresses that caused most of
 * them. Each message is one line, whatever its text contains, except for a stack trace. For any thread. Do not call it under
 * the ledger's lock, because it writes.
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

    /** By reason, in the order of their first lines; each is also one of {@link #faults}. */
    private final Map<String, Rejected> rejected = new LinkedHashMap<>();

    /** All kinds of faults after the first {@value #KINDS_MAX}. */
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

    /** @param nanoClock monotonic, so that a fault is logged again a minute later even if the wall clock is changed */
    public FaultLog(Logger log, LongSupplier nanoClock) {
        this.log = log;
        this.nanoClock = nanoClock;
    }

    /**
     * Logs a fault that has passed or that is tried again.
     *
     * @param kind identifies the fault; there must be few kinds
     */
    public void warn(String kind, String message) {
        warn(kind, AddressKey.UNKNOWN, 1, () -> message);
    }

    /** Logs a fault, with a message that is built only if it is logged. */
    public void warn(String kind, Supplier<String> message) {
        warn(kind, AddressKey.UNKNOWN, 1, message);
    }

    /** Logs an internal error with its stack trace. */
    public void warn(String kind, String message, Throwable fault) {
        warn(kind, AddressKey.UNKNOWN, 1, () -> message, fault);
    }

    /**
     * Logs a fault that another host has caused. Allocates only if the fault is logged or the first of its kind.
     *
     * @param address the {@link AddressKey} of that host
     */
    public void warn(String kind, long address, Supplier<String> message) {
        warn(kind, address, 1, message);
    }

    /** Logs a fault that another host has caused several times. */
    public void warn(String kind, long address, long times, Supplier<String> message) {
        warn(kind, address, times, message, null);
    }

    /**
     * Logs that lines were rejected, and keeps the first of them as its sender's example: see {@link #rejectedLines}.
     * Allocates only if the message is logged or the first of its kind.
     *
     * @param reason a word; there must be few reasons
     * @param rule the rule that they broke
     * @param times how many lines there were
     * @param in the first line is {@code in[begin, end)}; of a very long line the beginning is enough
     */
    public void rejected(
            String reason,
            String rule,
            LineSender from,
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

    /** Records a fault; returns the text about its repetitions, or null if it must not be logged now. */
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
                " (%,d more since this was last logged%s)",
                fault.kept,
                worst.isEmpty() ? "" : "; most from " + worst);
    }

    /** Received bytes, {@code in[begin, end)}, as a log may show them: cut, and on one line. */
    public static String shown(byte[] in, int begin, int end) {
        String text = new String(in, begin, Math.min(end - begin, SHOWN_BYTES_MAX), ISO_8859_1);
        return text.replaceAll("[^ -~]", "?") + (end - begin > SHOWN_BYTES_MAX ? "..." : "");
    }

    /**
     * A text that may contain received text, as a log may show it: cut, and on one line. Characters that would begin a line,
     * move the cursor, or color, reverse or hide the rest become question marks.
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
