package io.counters.collector.proxy;

import io.counters.collector.common.FaultLog;
import java.io.IOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Detects servers whose host disappears while data is in transit to it. TCP keepalive sends no probes while the kernel has
 * something to send, and the kernel itself gives up only after about a quarter of an hour. For the loop's thread.
 */
final class SilentHosts {
    private static final Logger log = LoggerFactory.getLogger(SilentHosts.class);

    private static final int CALM_SECONDS = 3;

    private final TcpTable table;
    private final FaultLog faults;
    private final boolean isThere;
    private final Set<String> ends = new HashSet<>();
    private boolean isDoubtful;
    private long seconds;

    SilentHosts(TcpTable table, FaultLog faults) {
        this.table = table;
        this.faults = faults;
        isThere = table.isThere();
        if (!isThere) {
            log.info("this system has no /proc/net/tcp: if a server's host disappears while data is in transit, this is"
                    + " noticed only when the kernel gives up, after about a quarter of an hour");
        }
    }

    /**
     * Closes the connections to such hosts. Call it once a second. Reading the table takes a few milliseconds, or 30 ms with
     * 14,000 connections. Therefore it is read only every {@value #CALM_SECONDS} s while all hosts answer, and only while
     * something may be unacknowledged.
     */
    void look(Iterable<? extends Upstream> upstreams) {
        if (!isThere || (!isDoubtful && seconds++ % CALM_SECONDS != 0)) {
            return;
        }
        isDoubtful = false;
        ends.clear();
        for (Upstream upstream : upstreams) {
            if (upstream instanceof TcpUpstream byTcp) {
                byTcp.unacknowledged(ends::add);
            }
        }
        if (ends.isEmpty()) {
            return;
        }
        try {
            Map<String, TcpTable.Row> rows = table.rows(ends);
            isDoubtful = rows.values().stream().anyMatch(row -> row.unanswered() > 0);
            for (Upstream upstream : upstreams) {
                if (upstream instanceof TcpUpstream byTcp) {
                    byTcp.look(rows);
                }
            }
        } catch (IOException | RuntimeException unreadable) {
            faults.warn(
                    "tcp table",
                    "/proc/net/tcp cannot be read (" + unreadable.getMessage()
                            + "): if a server's host disappears while data is in transit, this is noticed late");
        }
    }
}
