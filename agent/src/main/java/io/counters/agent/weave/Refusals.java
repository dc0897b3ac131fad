package io.counters.agent.weave;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Takes note of marks that cannot be woven: a line each, and their number. Any thread. */
final class Refusals {
    private final Consumer<String> log;
    private final AtomicLong count = new AtomicLong();

    Refusals(Consumer<String> log) {
        this.log = log;
    }

    /** @param owner the class's name with slashes */
    void refuse(String owner, String method, String why) {
        count.incrementAndGet();
        log.accept(owner.replace('/', '.') + (method.isEmpty() ? "" : "." + method) + ": " + why);
    }

    long count() {
        return count.get();
    }
}
