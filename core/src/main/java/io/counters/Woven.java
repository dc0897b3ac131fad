package io.counters;

import io.counters.cells.Cells;
import io.counters.cells.Completion;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Called by classes into which a build has inserted counting calls, with counters-maven-plugin or {@code java -jar
 * counters.jar weave}. Do not call it yourself; use {@link Counters}. The agent leaves classes alone that call it.
 *
 * <p>Its members do not change, so that a class that was woven once works with every later release of counters-core. All
 * names are canonical. Counting never throws, except an {@link OutOfMemoryError} for a new name, and a {@link
 * StackOverflowError}; woven code keeps both from the application where a call has ended.
 */
public final class Woven {
    private static final String SUPPRESSED = "counters.suppressed";

    /**
     * About how many Throwables of counting code were kept from the application and are not yet in the counter {@value
     * #SUPPRESSED}. A field, because there may be no stack left for a call; the next count moves it into the counter.
     */
    public static int suppressed;

    private Woven() {}

    private static synchronized void report() {
        int kept = suppressed;
        try {
            Counters.add(SUPPRESSED, kept);
            suppressed -= kept;
        } catch (Throwable notNow) {
            // For example, there is still no stack. A later count tries again.
            return;
        }
    }

    /** Adds one. */
    public static void increment(String name) {
        if (suppressed != 0) {
            report();
        }
        Counters.increment(name);
    }

    /** Subtracts one. */
    public static void decrement(String name) {
        if (suppressed != 0) {
            report();
        }
        Counters.decrement(name);
    }

    /** Adds an amount of either sign. */
    public static void add(String name, long amount) {
        if (suppressed != 0) {
            report();
        }
        Counters.add(name, amount);
    }

    /**
     * Adds an amount if a Throwable is of one of these classes or of a subclass.
     *
     * @param classes class names, each followed by {@code ;}
     */
    public static void addThrown(Throwable thrown, String name, long amount, String classes) {
        if (suppressed != 0) {
            report();
        }
        Cells.addThrown(thrown, Cells.id(name), amount, classes);
    }

    /**
     * Adds an amount when a stage completes.
     *
     * @param normal whether it is added when the stage completes normally, or is null
     * @param failures the Throwables for which it is added, class names each followed by {@code ;}; all if empty, none if
     *     null
     */
    public static void add(
            @Nullable CompletionStage<?> stage, String name, long amount, boolean normal, @Nullable String failures) {
        if (suppressed != 0) {
            report();
        }
        Completion.add(stage, Cells.id(name), amount, normal, failures);
    }

    /** Adds an amount unless a Kotlin function returned {@code suspended}. */
    public static void addUnless(Object suspended, @Nullable Object returned, String name, long amount) {
        if (suppressed != 0) {
            report();
        }
        Completion.addUnless(suspended, returned, Cells.id(name), amount);
    }

    /**
     * Adds an amount under a name that contains the class of a Throwable.
     *
     * @param template the name, in which <code>{exception}</code> stands for the class
     */
    public static void addByException(Throwable thrown, long amount, String template) {
        if (suppressed != 0) {
            report();
        }
        Completion.addByException(thrown, amount, template);
    }

    /** The same, when a stage completes exceptionally. */
    public static void addByException(@Nullable CompletionStage<?> stage, long amount, String template) {
        if (suppressed != 0) {
            report();
        }
        Completion.addByException(stage, amount, template);
    }
}
