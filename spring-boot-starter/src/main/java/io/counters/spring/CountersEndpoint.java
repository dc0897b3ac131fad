package io.counters.spring;

import io.counters.emit.CounterTable;
import java.util.SortedMap;
import java.util.TreeMap;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

/** Shows under {@code /actuator/counters} what this JVM has counted, in whatever way, since it started. */
@Endpoint(id = "counters")
public final class CountersEndpoint {
    private final CounterTable table = CounterTable.ofThisJvm();
    private final String destination;

    CountersEndpoint(String destination) {
        this.destination = destination;
    }

    /**
     * What the endpoint answers.
     *
     * @param sentTo the collectors
     * @param counters the sum of each counter in this JVM, which a collector adds to the sums of other JVMs
     */
    public record Answer(String sentTo, SortedMap<String, Long> counters) {}

    /** All counters of this JVM by name. */
    @ReadOperation
    public Answer counters() {
        return new Answer(destination, new TreeMap<>(table.sums()));
    }
}
