package io.counters.collector.prometheus;

import io.counters.collector.ledger.Details;
import io.counters.collector.ledger.Snapshot;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What must be known of all counters of a ledger to name one of them in Prometheus, as marks of each counter: so a part of a
 * tick can be named alone, later, or by another collector, and always in the same way. Remembers the last counters, because
 * they seldom change. For one thread.
 *
 * <p>Takes at most 13 bytes per counter in addition to the snapshot.
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
            sayGauges(details.names(), now);
            names = details.names();
            created = createdNow;
            decremented = details.decremented();
            marks = now;
        }
        return new Snapshot(
                details.names(), details.values(), details.numbers(), size, new Snapshot.Facts(createdNow, marks));
    }

    /** A metric that becomes a gauge is another one from then on, which must not happen silently. */
    private void sayGauges(String[] namesNow, byte[] marksNow) {
        for (int i = 0; i < Math.min(marks.length, marksNow.length) && said.size() < SAID_MAX; i++) {
            if ((marksNow[i] & ~marks[i] & GAUGE) != 0 && names[i].equals(namesNow[i])) {
                int comma = names[i].indexOf(',');
                String metric = comma < 0 ? names[i] : names[i].substring(0, comma);
                if (said.add(metric)) {
                    log.info(
                            "{} is decremented for the first time, so it is no counter any more: in Prometheus it loses"
                                    + " _total, and in OTLP it is not monotonic",
                            metric);
                }
            }
        }
    }
}
