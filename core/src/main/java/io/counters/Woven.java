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
    /**
     * About how many Throwables of counting code were kept from the application. A field and not a counter, because there
     * may be no stack left for a call.
     */
    public static int suppressed;

    private Woven() {}

    /** Adds one. */
    public static void increment(String name) {
        Counters.increment(name);
    }

    /** Subtracts one. */
    public static void decrement(String name) {
        Counters.decrement(name);
    }

    /** Adds an amount of either sign. */
    public static void add(String name, long amount) {
        Counters.add(name, amount);
    }

    /**
     * Adds an amount if a Throwable is of one of these classes or of a subclass.
     *
     * @param classes class names, each followed by {@code ;}
     */
    public static void addThrown(Throwable thrown, String name, long amount, String classes) {
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
        Completion.add(stage, Cells.id(name), amount, normal, failures);
    }

    /** Adds an amount unless a Kotlin function returned {@code suspended}. */
    public static void addUnless(Object suspended, @Nullable Object returned, String name, long amount) {
        Completion.addUnless(suspended, returned, Cells.id(name), amount);
    }

    /**
     * Adds an amount under a name that contains the class of a Throwable.
     *
     * @param template the name, in which <code>{exception}</code> stands for the class
     */
    public static void addByException(Throwable thrown, long amount, String template) {
        Completion.addByException(thrown, amount, template);
    }

    /** The same, when a stage completes exceptionally. */
    public static void addByException(@Nullable CompletionStage<?> stage, long amount, String template) {
        Completion.addByException(stage, amount, template);
    }
}
