package io.counters.junit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Assertions about what was {@link Counted}; a failure lists what was counted instead, the nearest names first.
 *
 * <p>{@link #assertThat} stands beside AssertJ's of that name, when both are imported. Immutable, for any thread.
 */
public final class CountedAssert {
    private static final int LISTED_MAX = 20;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final Counted counted;
    private final long waitNanos;

    private CountedAssert(Counted counted, long waitNanos) {
        this.counted = counted;
        this.waitNanos = waitNanos;
    }

    /** Begins a sentence about what was counted. */
    public static CountedAssert assertThat(Counted counters) {
        return new CountedAssert(counters, 0);
    }

    /** With a limit to how long the assertions that follow may each wait to become true, for code that counts later. */
    public CountedAssert within(Duration limit) {
        return new CountedAssert(counted, limit.toNanos());
    }

    /**
     * Holds if the counter came to exactly this amount, which is negative where it was decremented more.
     *
     * @param name tags may stand in any order
     * @throws AssertionError if it came to another amount
     * @throws IllegalArgumentException if no counter can have that name
     */
    public CountedAssert counted(String name, long amount) {
        long until = System.nanoTime() + waitNanos;
        while (counted.amount(name) != amount) {
            if (until - System.nanoTime() <= 0 || Thread.currentThread().isInterrupted()) {
                throw failure(Counted.canonical(name), amount);
            }
            LockSupport.parkNanos(this, PAUSE_NANOS);
        }
        return this;
    }

    /** As {@link #counted} with an amount of 0: nothing was counted, or as much was taken off. */
    public CountedAssert notCounted(String name) {
        return counted(name, 0);
    }

    private AssertionError failure(String name, long expected) {
        Map<String, Long> amounts = counted.amounts();
        long amount = amounts.getOrDefault(name, 0L);
        StringBuilder message = new StringBuilder();
        message.append(name)
                .append(" was counted ")
                .append(amount)
                .append(" and should be ")
                .append(expected);
        message.append(amounts.isEmpty() ? "; nothing at all was counted" : "; what was counted, nearest name first:");
        List<String> names = new ArrayList<>(amounts.keySet());
        names.sort(Comparator.comparingInt(other -> distance(name, other)));
        for (String other : names.subList(0, Math.min(names.size(), LISTED_MAX))) {
            message.append("\n    ").append(other).append(' ').append(amounts.get(other));
        }
        if (names.size() > LISTED_MAX) {
            message.append("\n    and ").append(names.size() - LISTED_MAX).append(" more");
        }
        if (System.getProperty("io.counters.agent") == null) {
            message.append("\n(no agent in this JVM, so @Count counts nothing; -javaagent:counters.jar=collector=none"
                    + " on the test JVM's command line would change that)");
        }
        return new AssertionError(message.toString());
    }

    /** How many letters must change to make one name the other. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(changed, 1 + Math.min(above, row[j - 1]));
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
