package io.counters.collector.ledger;

import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one commit writes, all of it or nothing.
 *
 * @param counters those that are new, and the values of those that changed
 * @param streams those that changed, with those of their watermarks that did
 * @param dropped the numbers of streams that are forgotten
 * @param relayed this ledger's own streams to peers, with those of their totals that changed
 * @param droppedRelays the numbers of those that ended
 * @param published the seconds that points were published for, where they changed
 * @param lists the lists of peers, where they changed
 * @param held counters that are held since the last commit
 */
record Changes(
        Head head,
        Counters counters,
        List<Watermarks> streams,
        List<Integer> dropped,
        List<Relayed> relayed,
        List<Integer> droppedRelays,
        @Nullable List<UsedSeconds.Run> published,
        @Nullable Lists lists,
        Held held) {
    /**
     * The ledger's own state.
     *
     * @param id a random number that no other ledger has
     * @param commit number of this commit, from 1
     * @param clockMillis the ledger's time, for its own streams to peers
     * @param listenedMillis how long the ledger has been listening, over all its lives
     * @param watchMillis since when the memory of streams is complete, by the time that it has been listening
     * @param adopts whether what stands under a key that was never pushed is taken over; not once the ledger was restored
     *     from a backup, as it may be this ledger's own, later work
     */
    record Head(long id, long commit, long clockMillis, long listenedMillis, long watchMillis, boolean adopts) {
        /** Of a ledger that was never committed, and has forgotten nothing. */
        static Head first(long id) {
            return new Head(id, 0, 0, 0, Ledger.FOR_EVER, true);
        }
    }

    /**
     * The lists of peers.
     *
     * @param now the one this ledger goes by
     * @param settled the last one under which every hand-over had arrived; null when there was none
     * @param leapt whether it went by another in between
     */
    record Lists(PeerList now, @Nullable PeerList settled, boolean leapt) {}

    /**
     * What peers sent of counters that are not ours and can't be passed on before a later list is here.
     *
     * @param isFresh whether all that was held before is no more
     */
    record Held(boolean isFresh, List<Integer> counters) {
        /** Nothing changed. */
        static final Held AS_BEFORE = new Held(false, List.of());
    }

    /**
     * Counters, in blocks of {@value Values#BLOCK}: a block with all its values where any of them changed. The arrays that run
     * by blocks are never changed again.
     *
     * @param names by their numbers; those from {@code known} up to {@code size} are new
     * @param changed the numbers of those that changed
     * @param blocks the number of each block; its first counter's is {@value Values#BLOCK} times as high
     * @param values of each block
     * @param rests of each block, in parts of {@code Commands.ONE}: what its counters came to beyond their values; null
     *     where they are as they were
     * @param claimed the numbers of all counters whose keys in the shared store are this ledger's by now
     */
    @SuppressWarnings("ArrayRecordComponent") // A million of them, handed on at once.
    record Counters(
            String[] names,
            int known,
            int size,
            BitSet changed,
            int[] blocks,
            long[][] values,
            long[] @Nullable [] rests,
            BitSet claimed) {}

    /**
     * One counter as it stands.
     *
     * @param rest what it came to beyond its value, in parts of {@code Commands.ONE}: at least minus one half, and less
     *     than one half
     * @param isClaimed whether its key in the shared store is this ledger's: it was looked at, and what stood there is in
     *     the value
     */
    record CounterRow(int id, String name, long value, long rest, boolean isClaimed) {}

    /**
     * One stream as it stands, without its watermarks.
     *
     * @param heardMillis when it was last heard, by the time that the ledger has been listening
     * @param peer the address of the collector whose it is; null for others'
     * @param handsOver whether that one hands over by it
     */
    record StreamRow(
            int id,
            String sender,
            boolean whole,
            boolean quarantined,
            long heardMillis,
            Arrivals arrivals,
            long healed,
            @Nullable String peer,
            boolean handsOver) {}

    /** One stream and those of its watermarks that changed; the arrays run side by side. */
    @SuppressWarnings("ArrayRecordComponent") // Written once and read once, thousands a second.
    record Watermarks(StreamRow stream, int[] counters, long[] increments, long[] decrements) {}
}
