package io.counters.spring;

import io.counters.Count;
import io.counters.cells.Cells;
import io.counters.cells.Completion;
import io.counters.wire.NameTemplates;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/** What the calls of one method count, and when, as the agent's instrumented code does it. Does not change once it is used. */
final class MethodPlan {
    /** Counts nothing. */
    static final MethodPlan EMPTY = new MethodPlan();

    private static final String CONTINUATION = "kotlin.coroutines.Continuation";

    private final List<Step> entered = new ArrayList<>(1);
    private final List<Step> returned = new ArrayList<>(0);
    private final List<Step> thrown = new ArrayList<>(0);

    /**
     * An amount that is added to a counter.
     *
     * @param id of the counter
     * @param on class names of Throwables, each followed by {@code ;}: only these count. Empty: all count
     * @param stage with {@code async}, the moment of the returned stage: RETURN, THROW or EXIT. Null if the method's end
     *     counts
     */
    private record Step(int id, long amount, String on, Count.@Nullable When stage) {
        void add() {
            Cells.add(id, amount);
        }

        void returned(@Nullable Object result) {
            if (stage == null) {
                add();
            } else {
                Completion.add(
                        (CompletionStage<?>) result,
                        id,
                        amount,
                        stage != Count.When.THROW,
                        stage == Count.When.RETURN ? null : on);
            }
        }

        void thrown(Throwable failure) {
            if (on.isEmpty()) {
                add();
            } else {
                Cells.addThrown(failure, id, amount, on);
            }
        }
    }

    boolean isEmpty() {
        return entered.isEmpty() && returned.isEmpty() && thrown.isEmpty();
    }

    /** Makes the call, and counts it. What the method throws passes through unchanged. */
    @Nullable
    Object count(MethodInvocation call) throws Throwable {
        entered.forEach(Step::add);
        Object result;
        try {
            result = call.proceed();
        } catch (Throwable failure) {
            thrown.forEach(step -> step.thrown(failure));
            throw failure;
        }
        returned.forEach(step -> step.returned(result));
        return result;
    }

    /** Adds what one {@code @Count} says. Parts that cannot work are ignored and logged. */
    void add(Count count, Method method, NameTemplates names, Consumer<String> log) {
        String owner = method.getDeclaringClass().getName().replace('.', '/');
        String place = method.getDeclaringClass().getName() + "." + method.getName() + ": ";
        Class<?> result = method.getReturnType();
        if (count.async() && result != CompletionStage.class && result != CompletableFuture.class) {
            log.accept(place
                    + "async is for methods declared to return a CompletionStage or CompletableFuture; this method"
                    + " is not, so it is not counted; remove async=true to count it when it returns");
            return;
        }
        boolean suspends = suspends(method);
        if (suspends
                && (count.when() != Count.When.ENTRY
                        || !count.errors().isEmpty()
                        || !count.inFlight().isEmpty())) {
            log.accept(
                    place
                            + "a suspend function counts at ENTRY only, because a proxy does not see its end; RETURN, THROW,"
                            + " EXIT, errors and inFlight are ignored. Start the JVM with -javaagent:counters.jar to count them");
        }
        StringBuilder types = new StringBuilder();
        for (Class<?> type : count.on()) {
            types.append(type.getName()).append(';');
        }
        String on = types.toString();
        String value = names.resolve(count.value(), owner, method.getName());
        if (value != null && count.when() == Count.When.ENTRY) {
            entered.add(new Step(Cells.id(value), count.amount(), "", null));
        } else if (value != null && !suspends) {
            boolean isThrow = count.when() == Count.When.THROW;
            atEnd(count.async(), count.when(), value, count.amount(), isThrow ? on : "");
        }
        if (suspends) {
            return;
        }
        String template = count.errors();
        if (template.startsWith("+")) {
            template = value == null ? "" : NameTemplates.append(value, template.substring(1));
        }
        String errors = template.isEmpty() ? null : names.resolve(template, owner, method.getName());
        if (errors != null) {
            atEnd(count.async(), Count.When.THROW, errors, 1, on);
        }
        String inFlight = count.inFlight().isEmpty() ? null : names.resolve(count.inFlight(), owner, method.getName());
        if (inFlight != null) {
            int id = Cells.id(inFlight);
            entered.add(new Step(id, 1, "", null));
            returned.add(0, new Step(id, -1, "", count.async() ? Count.When.EXIT : null));
            thrown.add(0, new Step(id, -1, "", null));
        }
    }

    /** A call that throws has ended, even if the method is declared to return a stage. */
    private void atEnd(boolean async, Count.When when, String name, long amount, String on) {
        int id = Cells.id(name);
        if (async) {
            returned.add(new Step(id, amount, on, when));
        } else if (when != Count.When.THROW) {
            returned.add(new Step(id, amount, on, null));
        }
        if (when != Count.When.RETURN) {
            thrown.add(new Step(id, amount, on, null));
        }
    }

    private static boolean suspends(Method method) {
        Class<?>[] parameters = method.getParameterTypes();
        return parameters.length > 0
                && parameters[parameters.length - 1].getName().equals(CONTINUATION)
                && method.getReturnType() == Object.class;
    }
}
