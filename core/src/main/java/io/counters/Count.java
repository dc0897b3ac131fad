package io.counters;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Counts the calls of a method or constructor if the JVM runs under {@code -javaagent:counters.jar}; without the agent
 * it does nothing.
 *
 * <pre>{@code
 * @Count("orders.placed")
 * void place(Order order) { ... }
 *
 * @Count(value = "payments.tried", errors = "+.errors", inFlight = "payments.open")
 * void pay(Payment payment) { ... }
 * }</pre>
 *
 * <p>By default a call adds one when it begins, and nothing undoes that; how the call ends can be counted under other
 * names. Private, static, final and synchronized methods count like any other. Each recursive call counts. Exceptions
 * pass through unchanged. On a class, the annotation applies to each of its public methods that has no {@code @Count}
 * itself. A constructor counts at {@link When#ENTRY}, before {@code super(...)}, or at {@link When#RETURN}, which
 * counts constructed objects; everything else is refused on constructors, because no handler can enclose
 * {@code super(...)}.
 *
 * <p>On an abstract method it counts nothing, unless the agent's setting {@code inherit=true} applies it to overrides.
 * On an annotation type it counts where that annotation is used, if {@code metaAnnotations} or a rule names it.
 *
 * <p>Names are templates that are resolved once, when the method is instrumented: {@code {class}} (the full name),
 * {@code {simpleClass}}, {@code {package}}, {@code {method}}, {@code {host}} and {@code {app}}. Characters that a name
 * cannot have become {@code _}, and {@code $} becomes {@code .}. If a template contains such characters, the agent logs
 * that once.
 *
 * <p>A Kotlin function counts once per call, regardless of the code that the compiler generates. A suspend function
 * counts when its call is over, also at {@link When#ENTRY}; {@link #inFlight} is refused there, because the function is
 * entered again when it resumes. A suspend function that can suspend only in its last call is entered and left once; it
 * has returned when it is left.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.CONSTRUCTOR, ElementType.TYPE, ElementType.ANNOTATION_TYPE})
@Repeatable(Count.List.class)
public @interface Count {
    /** The counter's name; by default <code>{class}.{method}</code> with the tags of the agent's settings. */
    String value() default "";

    /** The moment of a call at which {@link #value} counts. */
    When when() default When.ENTRY;

    /** A second counter, for calls that end in a Throwable; {@code "+.errors"} appends to {@link #value}'s name. */
    String errors() default "";

    /** Restricts {@link #errors} and {@link When#THROW} to these classes and their subclasses, compared by name. */
    Class<? extends Throwable>[] on() default {};

    /** A counter that is incremented when a call begins and decremented when it ends, normally or not. */
    String inFlight() default "";

    /** How much a call adds to {@link #value}; may be negative. */
    int amount() default 1;

    /**
     * For methods declared to return a {@code CompletionStage} or {@code CompletableFuture}: {@link When#RETURN},
     * {@link When#THROW}, {@link When#EXIT}, {@link #errors} and the end of {@link #inFlight} count when the stage
     * completes. The caller gets the stage itself. A null result counts as a normal return.
     */
    boolean async() default false;

    /** A moment of a call. */
    enum When {
        /** When the call begins. */
        ENTRY,
        /** When it returns normally. */
        RETURN,
        /** When it ends in a Throwable. */
        THROW,
        /** When it ends, either way. */
        EXIT
    }

    /** Contains several {@code @Count} of one method; each counts. */
    @Documented
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.METHOD, ElementType.CONSTRUCTOR, ElementType.TYPE, ElementType.ANNOTATION_TYPE})
    @interface List {
        /** The annotations. */
        Count[] value();
    }
}
