package io.counters.cells;

import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Counts a call that is not over when its method returns: one that returned a {@link CompletionStage}, or a suspended
 * Kotlin function. For instrumented code, which calls the agent's copy, {@code java.lang.CountersCompletion}.
 *
 * <p>Each instance waits for one stage and adds one amount, once, even if the stage calls it twice. It holds no
 * reference to the application's objects. The only application method that it calls is {@link
 * CompletionStage#whenComplete}, because there is no other way to learn of the completion.
 */
public final class Completion extends AtomicBoolean implements BiConsumer<@Nullable Object, @Nullable Throwable> {
    private static final long serialVersionUID = 1;

    private final int id;
    private final long amount;
    private final boolean normal;
    private final @Nullable String failures;

    private Completion(int id, long amount, boolean normal, @Nullable String failures) {
        this.id = id;
        this.amount = amount;
        this.normal = normal;
        this.failures = failures;
    }

    /**
     * Adds an amount when a stage completes, on the thread that completes it, or at once if the stage has completed.
     * Null, and a stage whose {@code whenComplete} throws, count as a normal return.
     *
     * @param normal whether the amount is added when the stage completes normally
     * @param failures the Throwables for which the amount is added, in the form that {@link Cells#addThrown} accepts;
     *     all if empty, none if null
     */
    public static void add(
            @Nullable CompletionStage<?> stage, int id, long amount, boolean normal, @Nullable String failures) {
        Completion completion = new Completion(id, amount, normal, failures);
        if (stage == null) {
            completion.accept(null, null);
            return;
        }
        try {
            stage.whenComplete(completion);
        } catch (Throwable unwatched) {
            Cells.suppressed++;
            completion.accept(null, null);
        }
    }

    /**
     * Adds an amount unless a function returned {@code suspended}: such a function is entered again, and ends later.
     */
    @SuppressWarnings("ReferenceEquality") // Kotlin's marker is a single object.
    public static void addUnless(Object suspended, @Nullable Object returned, int id, long amount) {
        if (returned != suspended) {
            Cells.add(id, amount);
        }
    }

    @Override
    public void accept(@Nullable Object result, @Nullable Throwable failure) {
        if (!compareAndSet(false, true)) {
            return;
        }
        if (failure == null) {
            if (normal) {
                Cells.add(id, amount);
            }
        } else if (failures != null) {
            // Unwraps only the JDK's own class: a subclass could run any code in getCause.
            Throwable cause = failure.getClass() == CompletionException.class ? failure.getCause() : null;
            if (failures.isEmpty()) {
                Cells.add(id, amount);
            } else {
                Cells.addThrown(cause == null ? failure : cause, id, amount, failures);
            }
        }
    }
}
