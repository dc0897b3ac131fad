package io.counters.collector.ledger;

import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one commit writes, all of it or nothing.
 *
 * @param counters the new ones, and the values of those that changed
 * @param streams the changed ones, with their changed watermarks
 * @param dropped the streams that were forgotten
 * @param remembered how many streams there are with this commit
 * @param published the seconds that points were published for; null if unchanged
 * @param moves the seconds in which counters last moved; only now and then
 */
public record Changes(
        Head head,
        Counters counters,
        List<Watermarks> streams,
        List<Dropped> dropped,
        int remembered,
        @Nullable List<UsedSeconds.Run> published,
        Moves moves) {
    /** The same, with the seconds in which counters last moved. */
    Changes with(Moves seconds) {
        return new Changes(head, counters, streams, dropped, remembered, published, seconds);
    }

    /** The ledger's stamp once this is committed. */
    public StoreStamp stamp() {
        return new StoreStamp(head.id(), head.commit());
    }

    /**
     * The ledger's own state.
     *
     * @param id a random number that no other ledger has
     * @param commit number of this commit, from 1
     * @param clockMillis the ledger's time
     * @param listenedMillis how long the ledger has been listening, over all its runs
     * @param watchMillis since when the memory of streams is complete, in time spent listening
     * @param adopts whether values of keys that were never pushed are adopted; false once the ledger was restored from
     *     a backup, because they may be this ledger's own later values
     */
    record Head(long id, long commit, long clockMillis, long listenedMillis, long watchMillis, boolean adopts) {
        /** The watch of a ledger that has not forgotten any stream. */
        static final long FOR_EVER = Long.MIN_VALUE;

        /** For a ledger that was never committed and has forgotten nothing. */
        static Head first(long id) {
            return new Head(id, 0, 0, 0, FOR_EVER, true);
        }

        /** That of the commit after this one. */
        Head next(long nowMillis, long listened, long watch, boolean isAdopting) {
            return new Head(id, commit + 1, nowMillis, listened, watch, isAdopting);
        }
    }

    /**
     * Counters, in blocks of {@value Values#BLOCK}: a block with all its values if any of them changed. The arrays with
     * one entry per block are never changed again.
     *
     * @param names by their numbers; those from {@code known} up to {@code size} are new
     * @param changed the numbers of those that changed
     * @param blocks the number of each block; the number of its first counter is {@value Values#BLOCK} times as high
     * @param values of each block
     * @param rests of each block, in parts of {@code Commands.ONE}; null if unchanged
     * @param claimed the numbers of all counters whose keys in the store are claimed
     * @param before the values of each block in the commit before
     * @param facts what else changed
     */
    @SuppressWarnings("ArrayRecordComponent") // A million of them, used immediately.
    record Counters(
            String[] names,
            int known,
            int size,
            BitSet changed,
            int[] blocks,
            long[][] values,
            long[] @Nullable [] rests,
            BitSet claimed,
            long[][] before,
            Facts facts) {}

    /**
     * What else is known about counters, in blocks like their values; see {@link CounterFacts}.
     *
     * @param blocks the number of each block
     * @param created the seconds in which its counters were created
     * @param decremented one bit for each counter that was ever decremented
     * @param removed one bit for each counter that is removed
     * @param adopted what its counters adopted; null if none did
     */
    @SuppressWarnings("ArrayRecordComponent") // As above.
    record Facts(int[] blocks, int[][] created, byte[][] decremented, byte[][] removed, long[] @Nullable [] adopted) {
        /** Nothing changed. */
        static final Facts AS_BEFORE = new Facts(new int[0], new int[0][], new byte[0][], new byte[0][], new long[0][]);
    }

    /** When counters last moved, in blocks like their values; see {@link LastMoves}. */
    @SuppressWarnings("ArrayRecordComponent") // As above.
    record Moves(int[] blocks, int[][] seconds) {
        /** Nothing to write. */
        static final Moves NONE = new Moves(new int[0], new int[0][]);
    }

    /**
     * One counter in its present state.
     *
     * @param rest what it has beyond its value, in parts of {@code Commands.ONE}: at least minus one half, and less
     *     than one half
     * @param isClaimed whether its key in the store is claimed: it was read, and what was found there is in the value
     * @param created the second in which it was created, in 32 bits without a sign; 0 if it is not known
     * @param moved the second in which it last moved, likewise
     * @param isDecremented whether it was ever decremented
     * @param isRemoved whether it is removed
     * @param adopted the part of its value that was found in the store
     */
    record CounterRow(
            int id,
            String name,
            long value,
            long rest,
            boolean isClaimed,
            int created,
            int moved,
            boolean isDecremented,
            boolean isRemoved,
            long adopted) {}

    /**
     * One stream in its present state, without its watermarks.
     *
     * @param heardMillis when it was last heard, in time spent listening
     * @param said how often it sent
     */
    record StreamRow(
            int id,
            String sender,
            boolean whole,
            boolean quarantined,
            long heardMillis,
            long said,
            Arrivals arrivals,
            long healed) {}

    /**
     * One stream and its changed watermarks; the arrays are parallel.
     *
     * @param isRowChanged whether more has changed than its watermarks and when it was last heard
     * @param places of the watermarks in the stream, which never change; none if watermarks are taken one at a time
     * @param uncounted what changed of the totals that are not in values; if watermarks are stored several at once, all that
     *     there is of these
     * @param all how many watermarks the stream has
     * @param allUncounted for how many of them a part of the totals is not in values
     */
    @SuppressWarnings("ArrayRecordComponent") // Written once and read once, thousands a second.
    record Watermarks(
            StreamRow stream,
            boolean isRowChanged,
            int[] places,
            int[] counters,
            long[] increments,
            long[] decrements,
            Uncounted uncounted,
            int all,
            int allUncounted) {
        /** A stream with all its watermarks, by their places. */
        static Watermarks restored(
                StreamRow stream, int[] counters, long[] increments, long[] decrements, Uncounted uncounted) {
            return new Watermarks(
                    stream,
                    true,
                    NO_PLACES,
                    counters,
                    increments,
                    decrements,
                    uncounted,
                    counters.length,
                    uncounted.counters().length);
        }

        private static final int[] NO_PLACES = {};
    }

    /**
     * A stream that was forgotten.
     *
     * @param watermarks how many places it had
     */
    record Dropped(int stream, int watermarks) {}

    /** The parts of totals that are not in the values of their counters; the arrays are parallel. */
    @SuppressWarnings("ArrayRecordComponent") // As above.
    record Uncounted(int[] counters, long[] amounts) {
        static final Uncounted NONE = new Uncounted(new int[0], new long[0]);
    }
}
