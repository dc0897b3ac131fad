package io.counters.collector.simulate;

/**
 * What goes wrong, each from 0 to 1.
 *
 * @param loss of a datagram to vanish
 * @param duplicate of a datagram to come twice
 * @param reorder of a datagram to come up to 20 s late
 * @param crash of a collector, a step, to be killed and lose what it had not committed
 * @param reshard of a counter, a step, to move to another collector
 * @param restart of a sender, a step, to end after a sweep that arrived and begin anew
 * @param disk of a commit to fail
 * @param clock of a collector's wall clock, a step, to jump by an hour or a year, ahead or back
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
                throw new IllegalArgumentException("odds of " + odds + ": allowed are 0% to 100%");
            }
        }
    }

    Odds withoutCrashes() {
        return new Odds(loss, duplicate, reorder, 0, reshard, restart, disk, clock);
    }
}
