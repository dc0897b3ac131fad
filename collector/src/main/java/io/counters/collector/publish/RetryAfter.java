package io.counters.collector.publish;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/** The header {@code Retry-After} of an answer, as RFC 9110 defines it: seconds, or a date. */
final class RetryAfter {
    /** A server that asks for more is asked again nevertheless. */
    static final Duration MAX = Duration.ofMinutes(5);

    private RetryAfter() {}

    /** How long to wait, at most {@link #MAX}; zero without such a header, or if it cannot be read. */
    static Duration of(@Nullable String header, Instant now) {
        if (header == null) {
            return Duration.ZERO;
        }
        String text = header.strip();
        if (text.matches("[0-9]{1,9}")) {
            return within(Duration.ofSeconds(Long.parseLong(text)));
        }
        try {
            return within(Duration.between(now, DateTimeFormatter.RFC_1123_DATE_TIME.parse(text, Instant::from)));
        } catch (DateTimeException noDate) {
            return Duration.ZERO;
        }
    }

    private static Duration within(Duration wait) {
        return wait.isNegative() ? Duration.ZERO : wait.compareTo(MAX) > 0 ? MAX : wait;
    }
}
