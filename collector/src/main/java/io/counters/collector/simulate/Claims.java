package io.counters.collector.simulate;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.util.HashMap;
import java.util.Map;

/** The content of datagrams as they were sent: the highest total of each line of each stream, and the sums of amounts. */
final class Claims implements Commands {
    private final CommandReader reader = new CommandReader(this);
    private final Map<Line, Long> totals = new HashMap<>();
    private final Map<String, Long> amounts = new HashMap<>();
    private String sender = "";

    /** One counter and verb in one stream. */
    record Line(String sender, String name, Verb verb) {}

    void read(byte[] datagram, int length) {
        reader.datagram(datagram, 0, length);
    }

    /** The highest total of a line; 0 if there was none. */
    long total(Line line) {
        return totals.getOrDefault(line, 0L);
    }

    /** The sum of all amounts of a counter, of both verbs. */
    long amount(String name) {
        return amounts.getOrDefault(name, 0L);
    }

    /** The sum of the highest totals of a counter, of all streams and both verbs. */
    long totals(String name) {
        return totals.entrySet().stream()
                .filter(total -> total.getKey().name.equals(name))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        sender = new String(bytes, begin, end - begin, ISO_8859_1);
    }

    @Override
    public void fromNobody() {
        sender = "";
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        String name = new String(bytes, begin, end - begin, ISO_8859_1);
        totals.merge(new Line(sender, name, verb), total, Math::max);
        amounts.merge(name, amount, Long::sum);
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        throw new IllegalStateException("a sender sent a line that was rejected: " + why);
    }
}
