package io.counters.collector.simulate;

/** What goes wrong in a run, and how its result is judged. */
enum Scenario {
    /** All kinds of faults at once, and streams older than the expiry time: every counter must be exact. */
    EVERYTHING("everything at once"),
    /** Machines are suspended for longer than the expiry time, and then continue. */
    SUSPENDED("machines suspended for longer than streams are remembered"),
    /** Datagrams are held back for longer than the expiry time, and then delivered. */
    LATE("datagrams delivered after their stream was forgotten"),
    /** The ledger has hardly any room for watermarks and streams. */
    FULL("a ledger without room"),
    /** A sender forges totals far beyond the limit; the counters of the others must be exact. */
    FORGED("a sender in quarantine"),
    /** Somebody forges totals far beyond the limit in the streams of other senders. */
    HIJACKED("totals forged in the name of others"),
    /** A flood of streams with one total each leaves hardly any room for the real senders' streams. */
    CROWDED("streams that crowd out");

    private final String title;

    Scenario(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /**
     * Whether every counter must be exact at the end. Otherwise a counter may be too low by at most the amounts in datagrams
     * that were lost or overtaken, and too high by at most the amounts in those that arrived more than once.
     */
    boolean isExact() {
        return this == EVERYTHING || this == FORGED;
    }
}
