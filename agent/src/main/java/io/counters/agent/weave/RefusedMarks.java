package io.counters.agent.weave;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Logs and counts the marks that cannot work. Any thread. */
final class RefusedMarks {
    private final Consumer<String> log;
    private final AtomicLong count = new AtomicLong();

    RefusedMarks(Consumer<String> log) {
        this.log = log;
    }

    /** @param owner the class's name with slashes */
    void refuse(String owner, String method, String why) {
        refuse(owner.replace('/', '.') + (method.isEmpty() ? "" : "." + method) + ": " + why);
    }

    /** Logs a refusal that concerns no single class or method. */
    void refuse(String line) {
        count.incrementAndGet();
        log.accept(line);
    }

    long count() {
        return count.get();
    }
}
