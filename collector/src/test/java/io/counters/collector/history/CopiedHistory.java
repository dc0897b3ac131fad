package io.counters.collector.history;

import io.counters.collector.Faults;
import io.counters.collector.Faults.Slot;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.file.Path;

/** The child process of {@link HistoryFaultsTest} that writes a copy to a disk on which every sync fails. */
public final class CopiedHistory {
    private CopiedHistory() {}

    /**
     * Puts ticks into a copy.
     *
     * @param args the file of the slots, and a folder
     */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[1]);
        Faults faults = new Faults(Path.of(args[0]), folder);
        HistorySettings settings = new HistorySettings(folder.resolve("history.db"), 10, 172_800, 0, 0, 1 << 30, 100);
        History history = new History(settings, new SaidFaults().log(), new Metrics());
        faults.set(Slot.SYNC_ERRNO, Faults.EIO);
        put(history, 1);
        System.out.println("of its own: " + history.trouble().isPresent());
        faults.set(Slot.HITS, 0);
        history.clear();
        for (int tick = 2; tick < 3000; tick++) {
            put(history, tick);
        }
        System.out.println("copied: "
                + history.samples("a", 0, Long.MAX_VALUE / 2).size() + " ticks, syncs: " + faults.get(Slot.HITS));
        history.close();
    }

    private static void put(History history, int tick) {
        history.put(1_700_000_000L + 10L * tick, new Snapshot(new String[] {"a"}, new long[] {tick}, 1));
    }
}
