package io.counters.collector.access;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * Lets the allowed senders of one port in, and counts and logs the others. For any thread. Costs nothing if everyone is allowed,
 * and otherwise one comparison for each range; it allocates nothing for a sender that is allowed.
 */
public final class Gate {
    private final String protocol;
    private final String fault;
    private final AllowedSenders.Range[] ranges;
    private final boolean isOpen;
    private final LongAdder refused;
    private final FaultLog faults;

    /** @param port for the metric and the log */
    public Gate(Port port, AllowedSenders allowed, FaultLog faults, Metrics metrics) {
        protocol = port.name();
        fault = "not allowed " + port.key();
        List<AllowedSenders.Range> list = allowed.ranges();
        ranges = list.toArray(AllowedSenders.Range[]::new);
        isOpen = allowed.isEveryone();
        this.faults = faults;
        refused = metrics.count(
                "refused_senders_total",
                "Datagrams and connections that were refused because --allow does not list their sender, by port.",
                "port",
                port.key());
    }

    /** Whether this sender's counts are taken. If not, the refusal is counted and logged. */
    public boolean admits(long addressKey) {
        return isOpen || isListed(addressKey);
    }

    private boolean isListed(long addressKey) {
        for (AllowedSenders.Range range : ranges) {
            if (range.has(addressKey)) {
                return true;
            }
        }
        refused.increment();
        faults.warn(
                fault,
                addressKey,
                () -> protocol + " from " + AddressKey.text(addressKey)
                        + " is refused, because --allow does not list it; nothing of it is counted");
        return false;
    }
}
