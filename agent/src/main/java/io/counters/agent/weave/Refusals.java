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
        refuse(owner.replace('/', '.') + (method.isEmpty() ? "" : "." + method) + ": " + why);
    }

    /** Of something that is no class and no method. */
    void refuse(String line) {
        count.incrementAndGet();
        log.accept(line);
    }

    long count() {
        return count.get();
    }
}
