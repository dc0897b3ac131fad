package io.counters;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Counts the calls of a method or constructor, under {@code -javaagent:counters.jar}; without the agent it does nothing.
 *
 * <pre>{@code
 * @Count("orders.placed")
 * void place(Order order) { ... }
 *
 * @Count(value = "payments.tried", errors = "+.errors", inFlight = "payments.open")
 * void pay(Payment payment) { ... }
 * }</pre>
 *
 * <p>By default a call counts one when it begins and is never taken back: what it came to is counted under names of
 * its own. Private, static, final and synchronized methods count like any other, recursion counts each call, and an
 * exception goes on untouched. On a class it stands for each of its public methods that has no {@code @Count} of its
 * own. A constructor counts at {@link When#ENTRY}, before {@code super(...)}, or at {@link When#RETURN}, which counts
 * objects that were constructed; the rest is refused there, as no handler can be put around {@code super(...)}.
 *
 * <p>On an abstract method it counts nothing, unless the agent's setting {@code inherit=true} lets overrides count by
 * it. On an annotation type it counts where that annotation is used, if {@code metaAnnotations} or a rule names it.
 *
 * <p>Names are templates, resolved once, when the method is woven: {@code {class}} (the full name), {@code
 * {simpleClass}}, {@code {package}}, {@code {method}}, {@code {host}} and {@code {app}}. Letters that a name can't have
 * become {@code _}, and {@code $} becomes {@code .}, which is said once in the log where a template has them.
 *
 * <p>A function of Kotlin counts once a call, whatever the compiler makes of it. A suspend function counts when its
 * call is over, at {@link When#ENTRY} too; {@link #inFlight} is refused there, as it is entered again when it resumes.
 * One that can suspend only in its last call is entered and left once, and has then returned.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.CONSTRUCTOR, ElementType.TYPE, ElementType.ANNOTATION_TYPE})
@Repeatable(Count.List.class)
public @interface Count {
    /** The counter's name; left out, it is <code>{class}.{method}</code> with the tags of the agent's settings. */
    String value() default "";

    /** At which moment of a call {@link #value} counts. */
    When when() default When.ENTRY;

    /** A second counter, for calls that end in a Throwable; {@code "+.errors"} appends to {@link #value}'s name. */
    String errors() default "";

    /** Restricts {@link #errors} and {@link When#THROW} to these classes and their subclasses, compared by name. */
    Class<? extends Throwable>[] on() default {};

    /** A counter that is incremented when a call begins and decremented when it ends, however it ends. */
    String inFlight() default "";

    /** What a call adds to {@link #value}; may be negative. */
    int amount() default 1;

    /**
     * For methods declared to return a {@code CompletionStage} or {@code CompletableFuture}: {@link When#RETURN}, {@link
     * When#THROW}, {@link When#EXIT}, {@link #errors} and the end of {@link #inFlight} are decided when it completes.
     * The stage itself is returned, and null is a normal return.
     */
    boolean async() default false;

    /** A moment of a call. */
    enum When {
        /** As the call begins. */
        ENTRY,
        /** As it returns normally. */
        RETURN,
        /** As it ends in a Throwable. */
        THROW,
        /** As it ends, either way. */
        EXIT
    }

    /** Several {@code @Count} on one method: each counts. */
    @Documented
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.METHOD, ElementType.CONSTRUCTOR, ElementType.TYPE, ElementType.ANNOTATION_TYPE})
    @interface List {
        /** Each of them. */
        Count[] value();
    }
}
