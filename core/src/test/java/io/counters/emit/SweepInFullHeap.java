package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.cells.NoMemory;
import io.counters.wire.DatagramWriter;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A separate process. Sweeps exactly when all arrays must grow, each time with a little more memory, from none to
 * enough. Prints whether some of the sweeps failed but not all, and after how many the totals were wrong.
 */
final class SweepInFullHeap {
    private static final int COUNTERS = 4_096;
    private static final int GAP_BYTES_MAX = 600_000;
    private static final int STEP_BYTES = 30_000;

    private static int failed;
    private static int wrong;

    private SweepInFullHeap() {}

    /** Makes the sweeps and prints {@code failed true|false, wrong N}. */
    public static void main(String... none) {
        for (int bytes = 0; bytes < GAP_BYTES_MAX; bytes += STEP_BYTES) {
            sweep(bytes);
        }
        System.out.println("failed " + (failed > 0 && failed < GAP_BYTES_MAX / STEP_BYTES) + ", wrong " + wrong);
    }

    private static void sweep(int gapBytes) {
        CountedCells cells = new CountedCells();
        for (int i = 0; i < COUNTERS; i++) {
            cells.add("c" + i, 1);
        }
        Totals totals = new Totals();
        Sweep sweep = new Sweep(
                cells.table(),
                EmitterSettings.to("h"),
                System::nanoTime,
                System::currentTimeMillis,
                () -> "stream-of-the-full-heap");
        sweep.run(totals);
        cells.add("first.new", 2);
        cells.add("second.new", 3);

        NoMemory.fillBut(gapBytes);
        try {
            sweep.run(totals);
        } catch (OutOfMemoryError full) {
            failed++;
        }
        NoMemory.empty();
        try {
            sweep.run(totals);
        } catch (RuntimeException broken) {
            wrong++;
            return;
        }
        boolean right = totals.byName.size() == COUNTERS + 2
                && Objects.equals(totals.byName.remove("first.new"), 2L)
                && Objects.equals(totals.byName.remove("second.new"), 3L)
                && totals.byName.values().stream().allMatch(total -> total == 1);
        wrong += right ? 0 : 1;
    }

    /** Keeps the total last sent for each name. */
    private static final class Totals implements Transport {
        private final TreeMap<String, Long> byName = new TreeMap<>();

        @Override
        public boolean send(byte[] bytes, int length) {
            for (String line : new String(bytes, 0, length, ISO_8859_1).split("\n", 0)) {
                String[] words = line.split(" ", -1);
                if (!words[0].equals("from")) {
                    byName.put(words[1], Long.valueOf(words[3]));
                }
            }
            return true;
        }

        @Override
        public int datagramBytes() {
            return DatagramWriter.BYTES_DEFAULT;
        }
    }
}
