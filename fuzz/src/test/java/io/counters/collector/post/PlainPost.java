package io.counters.collector.post;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.intake.PlainSums;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.StatsdName;
import io.counters.wire.Verb;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What docs/http.md says of the lines of a request with an Idempotency-Key: amounts only, of a name at most 2^53. */
final class PlainPost implements Commands {
    private static final long SUM_MAX = 1L << 53;

    final PlainSums sums = new PlainSums();
    private final Map<String, Long> byName = new HashMap<>();

    /** Reads a body as a datagram. */
    static void read(byte[] body, Commands into) {
        new CommandReader(into, StatsdName.cleaning(List.of())).datagram(body, 0, body.length);
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        // Rejected.
    }

    @Override
    public void fromNobody() {
        sums.fromNobody();
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        String name = verb + " " + new String(bytes, begin, end - begin, ISO_8859_1);
        long sum = byName.getOrDefault(name, 0L) + amount;
        if (total == NO_TOTAL && sum >= 0 && sum <= SUM_MAX) {
            byName.put(name, sum);
            sums.command(verb, bytes, begin, end, amount, total);
        }
    }

    @Override
    public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
        // Rejected.
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        // Counts nothing.
    }
}
