package io.counters.collector.self;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;

/**
 * Logs the same fault at once, and then once a minute with how often it came. For any thread.
 */
public final class FaultLog {
    private static final Duration PAUSE = Duration.ofMinutes(1);
    private static final int FAULTS_MAX = 200;
    private static final int SHOWN_BYTES_MAX = 80;
    private static final int SHOWN_CHARS_MAX = 300;

    private final Logger log;
    private final InstantSource clock;
    private final Map<String, Fault> faults = new HashMap<>();

    private static final class Fault {
        Instant quietUntil = Instant.MIN;
        long kept;
    }

    public FaultLog(Logger log, InstantSource clock) {
        this.log = log;
        this.clock = clock;
    }

    /**
     * Tells of a fault that healed or will.
     *
     * @param kind what makes it the same fault; of a few kinds only
     */
    public void warn(String kind, String message) {
        warn(kind, () -> message);
    }

    /** The same, of a message that is made only when it is said. */
    public void warn(String kind, Supplier<String> message) {
        long more;
        synchronized (faults) {
            Fault fault = faults.get(kind);
            if (fault == null) {
                if (faults.size() >= FAULTS_MAX) {
                    return;
                }
                fault = new Fault();
                faults.put(kind, fault);
            }
            Instant now = clock.instant();
            if (now.isBefore(fault.quietUntil)) {
                fault.kept++;
                return;
            }
            fault.quietUntil = now.plus(PAUSE);
            more = fault.kept;
            fault.kept = 0;
        }
        if (more == 0) {
            log.warn("{}", message.get());
        } else {
            log.warn("{} (and {} times since this was last said)", message.get(), more);
        }
    }

    /**
     * Text that somebody sent, as a log may show it: cut, on one line, and without what a terminal or an editor would obey
     * (control characters, line and paragraph separators, marks that turn the direction).
     */
    public static String shown(String text) {
        String start = text.length() <= SHOWN_CHARS_MAX ? text : text.substring(0, SHOWN_CHARS_MAX) + "...";
        return start.replaceAll("[\\p{C}\\p{Zl}\\p{Zp}]", "?");
    }

    /** Bytes that somebody sent, {@code in[begin, end)}, as a log may show them: cut, and on one line. */
    public static String shown(byte[] in, int begin, int end) {
        String text = new String(in, begin, Math.min(end - begin, SHOWN_BYTES_MAX), ISO_8859_1);
        return text.replaceAll("[^ -~]", "?") + (end - begin > SHOWN_BYTES_MAX ? "..." : "");
    }
}
