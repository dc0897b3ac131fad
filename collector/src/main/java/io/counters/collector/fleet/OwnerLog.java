package io.counters.collector.fleet;

import java.io.IOException;
import java.util.Collection;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
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

        /** These go to another member, which merges again what is not committed. */
        void revoked(Collection<Integer> partitions);

        /** These may have another owner already. */
        void lost(Collection<Integer> partitions);

        /**
         * The members have met anew. What stays this member's may have been another's meanwhile, even if neither was said.
         *
         * @param mine all that are this member's from now on
         */
        void met(Set<Integer> mine);

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

    /** Whether this member is in the group of owners, as far as it knows. */
    boolean isMember();

    /** Delivers the lines of this partition from this offset on; if there is none, {@link Member#moved} tells. */
    void begin(int partition, long offset);

    /** Delivers nothing of this partition before the next {@link #begin}. */
    void hold(int partition);

    /** How many records of a partition's lines are still to be delivered; empty if no broker has said it since the partition began. */
    OptionalLong lag(int partition);

    /**
     * Adds a record to the transaction, which begins with the first. Does not fail; {@link #commit} does.
     *
     * @param value null if earlier values of the key are no longer valid
     */
    void append(Topic topic, int partition, byte @Nullable [] key, byte @Nullable [] value);

    /**
     * Commits the transaction.
     *
     * @param offsets by partition, what the group of owners has from then on
     * @throws InDoubt if it is not known whether it is committed, which is settled by {@link #renew}
     * @throws IOException if nothing of it was committed. It is so whenever the members have met since the last
     *     {@link Member#met}, or are about to
     */
    void commit(Map<Integer, Committed> offsets) throws IOException;

    /**
     * Ends whatever transaction there is, so that what was not committed before this returns never will be. Before it has
     * returned once, no transaction begins.
     */
    void renew() throws IOException;

    /** Ends. A member with the same instance name that joins within the session's time gets the same partitions. */
    @Override
    void close();

    /** It is not known whether a transaction was committed. */
    final class InDoubt extends IOException {
        private static final long serialVersionUID = 1;

        InDoubt(String why, @Nullable Throwable cause) {
            super(why, cause);
        }
    }
}
