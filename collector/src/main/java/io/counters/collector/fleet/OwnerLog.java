package io.counters.collector.fleet;

import java.io.IOException;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fleet's log as an owner of partitions uses it: it receives lines, and writes transactions. For one thread.
 * {@link KafkaOwnerLog} is the one of a running collector; simulations have another.
 */
interface OwnerLog extends AutoCloseable {
    /** Where a transaction writes: to the partition of the same number. */
    enum Topic {
        /** {@code PREFIX.ledger}: the last record of each key is kept. */
        LEDGER,
        /** {@code PREFIX.ticks}. */
        TICKS
    }

    /** What is told which partitions it owns, and gets their lines. All calls come from within {@link #poll}. */
    interface Member {
        /** These are this member's from now on. Nothing of them is delivered before {@link #begin}. */
        void assigned(Collection<Integer> partitions);

        /** These go to another member. Their changes can be committed until this returns. */
        void revoked(Collection<Integer> partitions);

        /** These may have another owner already: nothing of them can be committed. */
        void lost(Collection<Integer> partitions);

        /**
         * A record of {@code PREFIX.lines}.
         *
         * @param timeMillis Unix time at which it was written, by its writer's clock
         */
        void lines(int partition, long offset, long timeMillis, byte[] text);

        /**
         * The line at this offset, which was to be the next, does not exist.
         *
         * @param to the offset of the next one: the oldest if lines were deleted, or the end if the log ends before
         */
        void moved(int partition, long from, long to);
    }

    /**
     * Waits for lines and delivers them.
     *
     * @param waitMillis the most to wait
     * @throws IOException if the log cannot be used now. Some of what was assigned may be lost; then the next call says so
     */
    void poll(long waitMillis, Member member) throws IOException;

    /** Delivers the lines of this partition from this offset on; if there is none, {@link Member#moved} tells. */
    void begin(int partition, long offset);

    /** Delivers nothing of this partition before the next {@link #begin}. */
    void hold(int partition);

    /** How many records of a partition's lines are still to be delivered, as far as it is known. */
    long lag(int partition);

    /**
     * Adds a record to the transaction, which begins with the first. Does not fail; {@link #commit} does.
     *
     * @param value null if earlier values of the key are no longer valid
     */
    void append(Topic topic, int partition, byte @Nullable [] key, byte @Nullable [] value);

    /**
     * Commits the transaction.
     *
     * @param offsets by partition, the offset after the last record whose lines are merged
     * @throws Fenced if it is not known whether it is committed, or if another member may own a partition: then the ledgers
     *     of all partitions must be loaded again, after {@link #renew}
     * @throws IOException if nothing of it was committed, and the partitions are still this member's
     */
    void commit(Map<Integer, Long> offsets) throws IOException;

    /** Ends whatever transaction there is, so that what was not committed before this returns never will be. */
    void renew() throws IOException;

    /** Ends. A member with the same instance name that joins within the session's time gets the same partitions. */
    @Override
    void close();

    /** Another member may own the partitions, or it is not known what was committed. */
    final class Fenced extends IOException {
        private static final long serialVersionUID = 1;

        Fenced(String why, @Nullable Throwable cause) {
            super(why, cause);
        }
    }
}
