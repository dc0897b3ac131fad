package io.counters.collector.fleet;

/**
 * What the group of owners has of a partition: how far its lines are merged, and into which state of its ledger. No two
 * commits of a partition leave the same, because every commit of a ledger has a number of its own.
 *
 * @param offset of {@code PREFIX.lines}, after the last record that is merged
 * @param stamp of the ledger, with the number of its last commit; empty if an earlier version has written it
 */
record Committed(long offset, String stamp) {
    /** Nobody has committed anything. */
    static final Committed NOTHING = new Committed(LoaderLog.NONE, "");

    /** Whether this proves that nobody has committed since that was seen. */
    boolean isStill(Committed seen) {
        return equals(seen) && (!stamp.isEmpty() || equals(NOTHING));
    }
}
