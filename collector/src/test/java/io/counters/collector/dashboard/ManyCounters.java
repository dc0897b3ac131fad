package io.counters.collector.dashboard;

import io.counters.collector.fleet.FleetView;
import io.counters.collector.history.History;
import io.counters.collector.ledger.KeptLedger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * A program with a dashboard of many counters, which runs in its own process with its own heap until it is killed. Its clock
 * stands still, so that no time limit ends an answer on a busy machine.
 */
final class ManyCounters {
    private ManyCounters() {}

    /** The name of the counter of this number, which is also its value. */
    static String name(int counter) {
        return "many.counters.of.some.service." + counter % 1000 + "." + counter;
    }

    /** Arguments: a folder and the number of counters. Prints the port. */
    public static void main(String[] args) throws Exception {
        KeptLedger kept = new KeptLedger(Files.createDirectories(Path.of(args[0])), false);
        StringBuilder datagram = new StringBuilder();
        for (int i = 0; i < Integer.parseInt(args[1]); i++) {
            datagram.append("increment ").append(name(i)).append(' ').append(i).append('\n');
            if (i % 500 == 499) {
                kept.datagram(datagram.toString());
                datagram.setLength(0);
            }
        }
        kept.commit.run();
        Dashboard dashboard = new Dashboard(
                new DashboardSettings(0),
                kept.ledger,
                kept.commit::run,
                new History(DashboardTest.history(Path.of(args[0]), 0), kept.said.log(), kept.metrics),
                kept.metrics,
                List::of,
                List::of,
                List::of,
                () -> FleetView.NONE,
                () -> 11212,
                () -> Instant.EPOCH,
                () -> 0,
                kept.said.log(),
                Thread::new,
                List.of());
        dashboard.start();
        System.out.println(dashboard.address().getPort());
    }
}
