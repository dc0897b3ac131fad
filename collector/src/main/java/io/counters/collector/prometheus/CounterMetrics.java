package io.counters.collector.prometheus;

import io.counters.collector.common.Metrics;
import io.counters.collector.http.Exposition;
import io.counters.collector.http.Request;
import io.counters.collector.http.Response;
import io.counters.collector.ledger.LedgerView;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code /metrics/counters}: the users' counters, for Prometheus. For any thread. */
public final class CounterMetrics {
    private static final Logger log = LoggerFactory.getLogger(CounterMetrics.class);
    private static final int LOGGED_MAX = 100;

    private final LedgerView counted;
    private final Set<String> logged = new HashSet<>();
    private volatile int collisions;

    public CounterMetrics(LedgerView counted, Metrics metrics) {
        this.counted = counted;
        metrics.gauge(
                "prometheus_collisions",
                "Names and tag keys of counters that the last answer of /metrics/counters escaped, because others are equal"
                        + " there.",
                () -> collisions);
    }

    /** {@code /metrics/counters?match=}. */
    public Response answer(Request request) {
        request.allow("match");
        NamePatterns patterns = new NamePatterns(request.parameters("match"));
        Exposition format = Exposition.of(request);
        Families families = new Families(counted.details());
        collisions = families.collisionsCount();
        families.collisions().forEach(this::logOnce);
        return new Response(200, format.type(), new FamiliesText(families, families.matching(patterns), format));
    }

    private synchronized void logOnce(String collision) {
        if (logged.size() < LOGGED_MAX && logged.add(collision)) {
            log.warn("equal names at /metrics/counters: {}", collision);
            if (logged.size() == LOGGED_MAX) {
                log.warn("further equal names at /metrics/counters are not logged; see counters_prometheus_collisions");
            }
        }
    }
}
