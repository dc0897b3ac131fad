package io.counters.collector.ledger;

import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What was counted here, for those who show it: one {@link Ledger}, or those of all partitions that a collector of a fleet
 * owns. For any thread.
 */
public interface LedgerView {
    /**
     * Returns every counter that this collector owns, with its committed value. A counter keeps its place, and new ones are
     * behind it, until one is removed or given away; while no name is new, the array of names is the same.
     */
    Snapshot snapshot();

    /** Returns every counter of {@link #snapshot()} with what else is known about it. */
    Details details();

    /** The committed value of this counter, if it is one of {@link #snapshot()}. */
    OptionalLong committed(String name);

    /** Returns how a counter came to its value; null if {@link #snapshot()} has no such counter, committed or not. */
    @Nullable
    Explanation explain(String name);

    /**
     * Removes a counter with the next commit: its value becomes 0, also in the store, and it is in no list or tick until
     * something is applied to it again, which then counts from 0. Its watermarks stay, so that repeated totals are not
     * applied again.
     *
     * @return null if {@link #snapshot()} has no such counter, committed or not
     */
    @Nullable
    Removal remove(String name);

    /** Every remembered stream in its present state. */
    List<StreamReport> reports();

    /** How many counters there are, without those that were removed. */
    int size();

    /** How many streams are remembered. */
    int streams();

    /** How many counters have changes that are not committed. */
    int uncommitted();

    /** How many keys of the store are not known to have the right value. */
    int unanswered();
}
