package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What docs/protocol.md says of totals, in as few words as possible, for a ledger that is new, has room for everything, and
 * forgets nothing: then every stream is whole.
 */
public final class PlainSums implements Commands {
    private static final long JUMP_MAX = 1L << 53;

    /** Near the ends of 64 bits lines are not added; what happens there is a matter of AdditionTest. */
    private static final BigDecimal FAR = BigDecimal.valueOf(1L << 62);

    private static final BigDecimal STEPS = BigDecimal.valueOf(ONE);

    private final SortedMap<String, BigDecimal> sums = new TreeMap<>();
    private final Set<String> farAway = new HashSet<>();
    private final Map<String, Map<String, Long>> watermarks = new HashMap<>();
    private final Set<String> quarantined = new HashSet<>();
    private final boolean refusesJumps;
    private boolean hasRefused;
    private int lines;
    private @Nullable String stream;

    public PlainSums() {
        this(false);
    }

    /** @param refusesJumps whether signatures are required: then a total that jumps too far counts nothing, and changes nothing */
    PlainSums(boolean refusesJumps) {
        this.refusesJumps = refusesJumps;
    }

    private static String text(byte[] bytes, int begin, int end) {
        return new String(bytes, begin, end - begin, ISO_8859_1);
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        stream = text(bytes, begin, end);
    }

    @Override
    public void fromNobody() {
        stream = null;
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        lines++;
        String name = text(bytes, begin, end);
        long news = amount;
        if (stream != null && total != NO_TOTAL && !quarantined.contains(stream)) {
            Map<String, Long> known = watermarks.computeIfAbsent(stream, fresh -> new HashMap<>());
            long watermark = known.getOrDefault(verb + name, -1L);
            if (total <= watermark) {
                return;
            }
            if (total - Math.max(0, watermark) > JUMP_MAX) {
                if (refusesJumps) {
                    hasRefused = true;
                    add(name, BigDecimal.ZERO);
                    return;
                }
                quarantined.add(stream);
            } else {
                news = total - Math.max(0, watermark);
                known.put(verb + name, total);
            }
        }
        add(name, BigDecimal.valueOf(verb == Verb.INCREMENT ? news : -news));
    }

    @Override
    public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
        lines++;
        add(text(bytes, begin, end), BigDecimal.valueOf(integer).add(new BigDecimal(rest).divide(STEPS)));
    }

    private void add(String name, BigDecimal amount) {
        BigDecimal sum = sums.merge(name, amount, BigDecimal::add);
        if (sum.abs().compareTo(FAR) > 0) {
            farAway.add(name);
        }
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        // Counts nothing.
    }

    /** How many lines were counted. */
    public int lines() {
        return lines;
    }

    /** Whether a total was refused: sent again after others, it may count. */
    boolean hasRefused() {
        return hasRefused;
    }

    /** Whether this counter's sum was always well within 64 bits. */
    public boolean isExact(String name) {
        return !farAway.contains(name);
    }

    /** Every counter, rounded half up. */
    public SortedMap<String, Long> values() {
        SortedMap<String, Long> values = new TreeMap<>();
        sums.forEach((name, sum) -> values.put(
                name,
                sum.add(new BigDecimal("0.5")).setScale(0, RoundingMode.FLOOR).longValue()));
        return values;
    }
}
