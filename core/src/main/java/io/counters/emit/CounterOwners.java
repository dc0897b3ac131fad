package io.counters.emit;

import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Determines which collector owns a counter, which is given by its number in the table. Computes each owner once and
 * keeps it, 4 bytes per counter. With one collector there is no ring. For the sweep's thread only.
 */
final class CounterOwners implements IntUnaryOperator {
    private static final int UNKNOWN = -1;

    private final CounterTable table;
    private final @Nullable KetamaRing ring;
    private final @Nullable KetamaHash hash;
    private int[] owners = new int[0];

    CounterOwners(List<CollectorAddress> collectors, CounterTable table) {
        this.table = table;
        if (collectors.size() == 1) {
            ring = null;
            hash = null;
            return;
        }
        ring = CollectorAddress.ring(collectors);
        hash = new KetamaHash();
    }

    @Override
    public int applyAsInt(int counter) {
        if (ring == null || hash == null) {
            return 0;
        }
        if (counter >= owners.length) {
            int known = owners.length;
            owners = Arrays.copyOf(owners, Math.max(64, Integer.highestOneBit(counter) * 2));
            Arrays.fill(owners, known, owners.length, UNKNOWN);
        }
        if (owners[counter] == UNKNOWN) {
            byte[] name = table.name(counter);
            owners[counter] = ring.owner(name, 0, name.length, hash);
        }
        return owners[counter];
    }
}
