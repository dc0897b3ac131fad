package io.counters.cells;

import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Counts what is known only when a call ends: a call that is not over when its method returns, because it returned a
 * {@link CompletionStage} or is a suspended Kotlin function, and a name that depends on the Throwable. For instrumented
 * code, which calls the agent's copy, {@code java.lang.CountersCompletion}.
 *
 * <p>Each instance waits for one stage and adds one amount, once, even if the stage calls it twice. It holds no
 * reference to the application's objects. The only application method that it calls is {@link
 * CompletionStage#whenComplete}, because there is no other way to learn of the completion.
 */
public final class Completion extends AtomicBoolean implements BiConsumer<@Nullable Object, @Nullable Throwable> {
    private static final long serialVersionUID = 1;

    /** The longest name. */
    private static final int NAME_BYTES_MAX = 250;

    private final int id;
    private final long amount;
    private final boolean normal;
    private final @Nullable String failures;

    /** The name for a failure, see {@link #addByException}; null if it has the id. */
    private final @Nullable String template;

    private Completion(int id, long amount, boolean normal, @Nullable String failures, @Nullable String template) {
        this.id = id;
        this.amount = amount;
        this.normal = normal;
        this.failures = failures;
        this.template = template;
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
        watch(stage, new Completion(id, amount, normal, failures, null));
    }

    private static void watch(@Nullable CompletionStage<?> stage, Completion completion) {
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
     * Adds an amount when a stage completes exceptionally, under a name that depends on the Throwable.
     *
     * @param template see {@link #addByException(Throwable, long, String)}
     */
    public static void addByException(@Nullable CompletionStage<?> stage, long amount, String template) {
        watch(stage, new Completion(0, amount, false, "", template));
    }

    /**
     * Adds an amount under a name that contains the class of a Throwable: without package and outer classes, and cut so that
     * the name is not too long. Characters that a name may not contain become {@code _}; an anonymous class is {@code
     * anonymous}. The class is named as {@link Class#getName} does, because the JDK's other names may load classes.
     *
     * @param template a canonical name, in which <code>{exception}</code> stands for the class
     */
    public static void addByException(Throwable thrown, long amount, String template) {
        int at = template.indexOf('{');
        int end = template.indexOf('}') + 1;
        String type = simpleName(thrown.getClass().getName(), NAME_BYTES_MAX - template.length() + end - at);
        Cells.add(Cells.id(template.substring(0, at).concat(type).concat(template.substring(end))), amount);
    }

    private static String simpleName(String type, int lengthMax) {
        int end = type.length();
        while (end > 1 && type.charAt(end - 1) == '$') {
            end--;
        }
        int begin = end;
        while (begin > 0 && type.charAt(begin - 1) != '.' && type.charAt(begin - 1) != '$') {
            begin--;
        }
        // The name of a local class begins with a number, that of an anonymous class is one.
        while (begin < end && type.charAt(begin) >= '0' && type.charAt(begin) <= '9') {
            begin++;
        }
        if (begin == end) {
            return "anonymous";
        }
        char[] name = new char[Math.min(end - begin, lengthMax)];
        for (int i = 0; i < name.length; i++) {
            char c = type.charAt(begin + i);
            boolean allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
            name[i] = allowed ? c : '_';
        }
        return new String(name);
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
            if (template != null) {
                addByException(cause == null ? failure : cause, amount, template);
            } else if (failures.isEmpty()) {
                Cells.add(id, amount);
            } else {
                Cells.addThrown(cause == null ? failure : cause, id, amount, failures);
            }
        }
    }
}
