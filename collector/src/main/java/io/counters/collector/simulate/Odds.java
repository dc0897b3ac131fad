package io.counters.collector.simulate;

/**
 * The probabilities of faults and changes, each from 0 to 1.
 *
 * @param loss that a datagram is lost
 * @param duplicate that a datagram arrives twice
 * @param reorder that a datagram arrives up to 20 s late
 * @param crash that a collector is killed in a step, and loses what it had not committed
 * @param reshard that the owner of a counter changes in a step
 * @param restart that a sender ends in a step, after a sweep that arrives, and a new one begins
 * @param disk that a commit fails
 * @param clock that a collector's wall clock jumps in a step, by an hour or a year, ahead or back
 */
record Odds(
        double loss,
        double duplicate,
        double reorder,
        double crash,
        double reshard,
        double restart,
        double disk,
        double clock) {
    static final Odds NONE = new Odds(0, 0, 0, 0, 0, 0, 0, 0);

    Odds {
        for (double odds : new double[] {loss, duplicate, reorder, crash, reshard, restart, disk, clock}) {
            if (!(odds >= 0 && odds <= 1)) {
                throw new IllegalArgumentException("a share is " + 100 * odds + "%, allowed are 0% to 100%");
            }
        }
    }

    Odds withoutCrashes() {
        return new Odds(loss, duplicate, reorder, 0, reshard, restart, disk, clock);
    }
}
