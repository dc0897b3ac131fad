package io.counters.junit;

import io.counters.wire.EditDistance;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Assertions about what was {@link Counted}. A failure lists what was counted instead, with the most similar names
 * first.
 *
 * <p>{@link #assertThat} can be imported together with AssertJ's method of that name. Immutable, so any thread may use
 * it.
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

    /** Begins assertions about what was counted. */
    public static CountedAssert assertThat(Counted counters) {
        return new CountedAssert(counters, 0);
    }

    /** Lets each of the following assertions wait up to {@code limit} until it is true, for code that counts later. */
    public CountedAssert within(Duration limit) {
        return new CountedAssert(counted, limit.toNanos());
    }

    /**
     * Asserts that exactly this amount was counted; it is negative if there were more decrements than increments.
     *
     * @param name its tags may be in any order
     * @throws AssertionError if another amount was counted
     * @throws IllegalArgumentException if the name breaks a rule
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

    /**
     * The same as {@link #counted} with an amount of 0: nothing was counted, or increments and decrements were equal.
     */
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
        message.append(amounts.isEmpty() ? "; nothing was counted" : "; counted were, most similar name first:");
        List<String> names = new ArrayList<>(amounts.keySet());
        names.sort(Comparator.comparingInt(other -> EditDistance.of(name, other)));
        for (String other : names.subList(0, Math.min(names.size(), LISTED_MAX))) {
            message.append("\n    ").append(other).append(' ').append(amounts.get(other));
        }
        if (names.size() > LISTED_MAX) {
            message.append("\n    and ").append(names.size() - LISTED_MAX).append(" more");
        }
        if (System.getProperty("io.counters.agent") == null) {
            message.append("\n(there is no agent in this JVM, so @Count counts nothing; add"
                    + " -javaagent:counters.jar=collector=none to the test JVM's command line)");
        }
        return new AssertionError(message.toString());
    }
}
