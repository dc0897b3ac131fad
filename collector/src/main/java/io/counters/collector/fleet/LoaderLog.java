package io.counters.collector.fleet;

import java.io.IOException;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The fleet's log as it is read before an owner begins. For one thread. {@link KafkaLoaderLog} is the one of a running
 * collector; simulations have another. Calls may wait, but not for long: who calls asks again.
 */
interface LoaderLog extends AutoCloseable {
    /** In place of an offset: none was committed. */
    long NONE = -1;

    /** Gets the records of several partitions. */
    @FunctionalInterface
    interface Records {
        /**
         * Takes one record.
         *
         * @param value null if earlier values of the key are no longer valid
         */
        void put(int partition, byte[] key, byte @Nullable [] value);
    }

    /**
     * What the group of owners has committed, or {@link Committed#NOTHING}. A partition that a transaction without an end
     * has written is left out: what it has is not known before that.
     */
    Map<Integer, Committed> committed(Set<Integer> partitions) throws IOException;

    /**
     * The ends of {@code PREFIX.ledger}, including what transactions without an end have written. A partition that no broker
     * serves is left out.
     *
     * @throws IOException if all are
     */
    Map<Integer, Long> ends(Set<Integer> partitions) throws IOException;

    /**
     * Reads some committed records of {@code PREFIX.ledger}, in their order.
     *
     * @param positions by partition, where to read; advanced over what was read, and over what was not committed
     * @throws IOException if some cannot be read; later calls read others
     */
    void read(Map<Integer, Long> positions, Records records) throws IOException;

    /** The name of {@code PREFIX.ledger}. */
    String topic();

    @Override
    void close();
}
