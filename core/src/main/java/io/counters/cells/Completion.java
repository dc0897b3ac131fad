package io.counters.cells;

import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Counts a call that is not over when its method returns: one that returned a {@link CompletionStage}, or a suspended
 * function of Kotlin. For woven code, which calls the agent's copy, {@code java.lang.CountersCompletion}.
 *
 * <p>One of these waits for one stage, to add one amount, once: a stage that calls it twice counts once. It holds
 * nothing of the application's, and of that calls {@link CompletionStage#whenComplete} alone, which there is no other
 * way to be told.
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
     * Adds an amount when a stage completes, on the thread that completes it, or at once if it has. Null, and a stage
     * that can't be watched, are a call that ended normally.
     *
     * @param normal whether it is added when the stage completes normally
     * @param failures for which Throwables it is added, as {@link Cells#addThrown} takes them; all if empty, none if null
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

    /** Adds an amount unless a function returned {@code suspended}: then it is entered again, and ends another time. */
    @SuppressWarnings("ReferenceEquality") // Kotlin's marker is one object.
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
            // Of the JDK's own wrapper only: a subclass may do anything when it is asked for its cause.
            Throwable cause = failure.getClass() == CompletionException.class ? failure.getCause() : null;
            if (failures.isEmpty()) {
                Cells.add(id, amount);
            } else {
                Cells.addThrown(cause == null ? failure : cause, id, amount, failures);
            }
        }
    }
}
