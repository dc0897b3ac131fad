package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** Records what a reader hands over, one text each, in order. */
final class RecordedCommands implements Commands {
    final List<String> seen = new ArrayList<>();

    /** Whether it accepts the from lines of a fleet. */
    boolean acceptsAnnounced;

    /** The contents of one datagram; the {@code fromNobody} at its start is checked and left out. */
    static List<String> datagram(byte[] bytes) {
        return datagram(bytes, StatsdName.strict());
    }

    /** The same for a reader that cleans names; the cleanings are left out. */
    static List<String> cleanedDatagram(byte[] bytes) {
        return datagram(bytes, StatsdName.cleaning(List.of()));
    }

    private static List<String> datagram(byte[] bytes, StatsdName statsdName) {
        RecordedCommands recorded = new RecordedCommands();
        new CommandReader(recorded, statsdName).datagram(bytes, 0, bytes.length);
        if (!recorded.seen.remove(0).equals("nobody")) {
            throw new AssertionError("a datagram begins with nobody's lines");
        }
        return recorded.seen;
    }

    static List<String> datagram(String text) {
        return datagram(text.getBytes(ISO_8859_1));
    }

    /** The contents of lines of a TCP stream. */
    static List<String> stream(String... lines) {
        RecordedCommands recorded = new RecordedCommands();
        CommandReader reader = new CommandReader(recorded);
        for (String line : lines) {
            byte[] bytes = line.getBytes(ISO_8859_1);
            reader.line(bytes, 0, bytes.length);
        }
        return recorded.seen;
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        seen.add("from " + text(bytes, begin, end) + " " + ageMillis + " " + seq);
    }

    @Override
    public boolean announced(byte[] bytes, int begin, int end, long ageMillis, long first, long last) {
        if (acceptsAnnounced) {
            seen.add("announced " + text(bytes, begin, end) + " " + ageMillis + " " + first + " to " + last);
        }
        return acceptsAnnounced;
    }

    @Override
    public boolean among(byte[] bytes, int begin, int end, long ageMillis, long first, long last) {
        if (acceptsAnnounced) {
            seen.add("among " + text(bytes, begin, end) + " " + ageMillis + " " + first + " to " + last);
        }
        return acceptsAnnounced;
    }

    @Override
    public void fromNobody() {
        seen.add("nobody");
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        if (new NameReader().read(bytes, begin, end) != null) {
            throw new AssertionError("no name: " + text(bytes, begin, end));
        }
        seen.add(verb + " " + text(bytes, begin, end) + " " + amount + (total == NO_TOTAL ? "" : " " + total));
    }

    @Override
    public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
        if (new NameReader().read(bytes, begin, end) != null || rest <= 0 || rest >= ONE) {
            throw new AssertionError("no name or no rest: " + text(bytes, begin, end) + " " + rest);
        }
        seen.add("ADD " + text(bytes, begin, end) + " "
                + BigDecimal.valueOf(integer)
                        .add(BigDecimal.valueOf(rest, 18))
                        .stripTrailingZeros()
                        .toPlainString());
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        seen.add(why + " <" + text(bytes, begin, end) + ">");
    }

    private static String text(byte[] bytes, int begin, int end) {
        return new String(bytes, begin, end - begin, ISO_8859_1);
    }
}
