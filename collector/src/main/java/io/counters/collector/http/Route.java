package io.counters.collector.http;

import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Supplier;

/**
 * One path and its answer. A request that changes something must be a POST, because only a POST from another site is
 * refused.
 *
 * @param method {@code GET}, which includes HEAD, or {@code POST}
 * @param answer called once for each request, on the thread that {@code work} determines; if it throws, the answer is 500
 */
public record Route(String method, String path, Work work, Supplier<Answer> answer) {
    private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

    /** How much work an answer is, which determines its thread. */
    public enum Work {
        /** Created on the event loop: takes no lock, does no I/O. */
        NONE,
        /** Created by a worker: may wait for a lock or a file. */
        SOME,
        /** Created by a worker; its size grows with the number of counters, so at most two exist until they are sent. */
        MUCH
    }

    public static Route get(String path, Work work, Supplier<Answer> answer) {
        return new Route("GET", path, work, answer);
    }

    public static Route post(String path, Work work, Supplier<Answer> answer) {
        return new Route("POST", path, work, answer);
    }

    /** {@code /metrics}: the program's metrics in Prometheus' format. */
    public static Route metrics(Self self) {
        return get("/metrics", Work.SOME, () -> {
            Iterator<Map.Entry<String, Long>> values = self.values().entrySet().iterator();
            return new Answer(200, PROMETHEUS, out -> {
                if (values.hasNext()) {
                    Map.Entry<String, Long> value = values.next();
                    out.append("counters_").append(value.getKey()).append(' ');
                    out.append(value.getValue().longValue()).append('\n');
                }
                return values.hasNext();
            });
        });
    }

    /** {@code /api/rejected}: the rejected lines by reason, with examples by sender. */
    public static Route rejected(FaultLog faults) {
        return get(
                "/api/rejected",
                Work.SOME,
                () -> new Answer(200, "application/json", new RejectedText(faults.rejectedLines())));
    }

    boolean takes(String asked) {
        return asked.equals(method) || (asked.equals("HEAD") && method.equals("GET"));
    }

    boolean changes() {
        return !method.equals("GET");
    }

    String allowed() {
        return method.equals("GET") ? "GET, HEAD" : method;
    }

    /** As in the list of paths. */
    @Override
    public String toString() {
        return method.equals("GET") ? path : method + " " + path;
    }
}
