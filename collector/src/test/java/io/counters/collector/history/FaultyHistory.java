package io.counters.collector.history;

import io.counters.collector.Faults;
import io.counters.collector.Faults.Slot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The child process of {@link HistoryFaultsTest}: writes histories in which each call on a file fails in turn. It ends with
 * an exception if a value is wrong.
 */
public final class FaultyHistory {
    private static final long BEGIN = 1_700_000_000;
    private static final int TICKS = 9;

    private final Faults faults;
    private final Path folder;
    private final int errno;
    private final int fails;

    private FaultyHistory(Faults faults, Path folder, int errno, int fails) {
        this.faults = faults;
        this.folder = folder;
        this.errno = errno;
        this.fails = fails;
    }

    /**
     * Runs all cases.
     *
     * @param args the file of the slots, and a folder
     */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[1]);
        Faults faults = new Faults(Path.of(args[0]), folder);
        int cases = 0;
        for (int fails : new int[] {1, 1000}) {
            int errno = fails == 1 ? Faults.EIO : Faults.ENOSPC;
            FaultyHistory disk =
                    new FaultyHistory(faults, Files.createDirectory(folder.resolve("" + fails)), errno, fails);
            for (int call = 1; disk.ticks(call, false); call++) {
                cases++;
            }
            for (int call = 1; disk.ticks(call, true); call++) {
                cases++;
            }
        }
        System.out.println(cases + " calls failed");
    }

    /** Writes nine ticks; opening the file, or the middle three ticks, may fail. Returns whether a call failed. */
    private boolean ticks(int call, boolean atOpening) throws IOException {
        Path data = Files.createDirectory(folder.resolve((atOpening ? "open-" : "tick-") + call));
        String when = data + ", errno " + errno;
        KeptHistory kept = new KeptHistory(KeptHistory.in(data));
        boolean failed = false;
        for (int tick = 0; tick < TICKS; tick++) {
            if (tick == 3 && atOpening) {
                kept.history.close();
            }
            if (tick == 3) {
                faults.failCalls(errno, call, fails);
            }
            if (tick == 3 && atOpening) {
                kept.restart();
            }
            if (tick == 6) {
                faults.set(Slot.CALLS_ERRNO, 0);
                failed = faults.get(Slot.CALLS_UNTIL_FAULT) <= 0;
            }
            for (int i = 0; i < 5; i++) {
                kept.counters.put("counter" + i, (long) tick * (i + 1));
            }
            kept.tick(BEGIN + 10L * tick);
        }
        check(kept, when);
        kept.restart();
        check(kept, when + ", opened again");
        kept.close();
        Faults.require(!Files.exists(data.resolve("history.damaged-1.db")), "a sound history is set aside, " + when);
        return failed;
    }

    private static void check(KeptHistory kept, String when) throws IOException {
        for (int i = 0; i < 5; i++) {
            Samples samples = kept.history.samples("counter" + i, 0, BEGIN + 1000);
            int known = 0;
            for (int at = 0; at < samples.size(); at++) {
                long tick = (samples.seconds()[at] - BEGIN) / 10;
                Faults.require(
                        samples.values()[at] == tick * (i + 1),
                        when + ": " + samples.values()[at] + " at tick " + tick);
                known += tick < 3 || tick >= 6 ? 1 : 0;
            }
            Faults.require(
                    known == 6, when + ": of the ticks on a sound disk there are only " + known + kept.said.lines());
        }
    }
}
