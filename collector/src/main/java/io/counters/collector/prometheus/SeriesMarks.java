package io.counters.collector.prometheus;

import io.counters.collector.ledger.Details;
import io.counters.collector.ledger.Snapshot;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What must be known of all counters of a ledger to name one of them in Prometheus, as marks of each counter: so a part of a
 * tick can be named alone, later, or by another collector, and always in the same way. Remembers the last counters, because
 * they seldom change. For one thread.
 *
 * <p>Keeps at most 13 bytes per counter, and needs about 45 while a tick is taken in which a counter is new.
 */
public final class SeriesMarks {
    /** The counter, or another one of the same metric, was decremented or is negative. */
    public static final int GAUGE = 1;

    /** The metric's name is escaped, because another one has its plain name. */
    public static final int NAME_ESCAPED = 2;

    /** The keys of its tags are escaped. */
    public static final int KEYS_ESCAPED = 4;

    private static final Logger log = LoggerFactory.getLogger(SeriesMarks.class);
    private static final int SAID_MAX = 100;

    private final Set<String> said = new HashSet<>();
    private String[] names = {};

    /** As in {@link Snapshot}, ascending. */
    private int @Nullable [] numbers;

    private int[] created = {};
    private BitSet decremented = new BitSet();
    private byte[] marks = {};

    /** The counters with their marks, and when they were created. */
    public Snapshot marked(Details details) {
        int size = details.size();
        int[] createdNow = new int[size];
        for (int i = 0; i < size; i++) {
            createdNow[i] = (int) details.createdSeconds()[i];
        }
        boolean isAsBefore = created.length == size
                && Arrays.equals(names, 0, size, details.names(), 0, size)
                && Arrays.equals(created, createdNow)
                && decremented.equals(details.decremented());
        if (!isAsBefore) {
            byte[] now = new Families(details).marks();
            sayGauges(details, now);
            names = details.names();
            numbers = details.numbers();
            created = createdNow;
            decremented = details.decremented();
            marks = now;
        }
        return new Snapshot(
                details.names(), details.values(), details.numbers(), size, new Snapshot.Facts(createdNow, marks));
    }

    /** A metric that becomes a gauge is another one from then on, which must not happen silently. */
    private void sayGauges(Details now, byte[] marksNow) {
        int i = 0;
        int j = 0;
        while (i < marks.length && j < marksNow.length && said.size() <= SAID_MAX) {
            int before = numbers == null ? i : numbers[i];
            int after = now.numbers() == null ? j : now.numbers()[j];
            if (before == after && (marksNow[j] & ~marks[i] & GAUGE) != 0) {
                say(names[i]);
            }
            // Counters are removed, and come back.
            i += before <= after ? 1 : 0;
            j += after <= before ? 1 : 0;
        }
    }

    private void say(String name) {
        int comma = name.indexOf(',');
        String metric = comma < 0 ? name : name.substring(0, comma);
        if (!said.add(metric)) {
            return;
        }
        if (said.size() > SAID_MAX) {
            log.info("more than {} metrics are decremented for the first time; the others are not named", SAID_MAX);
            return;
        }
        log.info(
                "{} is decremented for the first time, so it is no counter any more: in Prometheus it loses"
                        + " _total, and in OTLP it is not monotonic",
                metric);
    }
}
