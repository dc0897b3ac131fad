package io.counters.collector.simulate;

/** What a run is about, and how it is judged. */
enum Scenario {
    /** All odds at once, streams older than the expiry time among them: every counter must be exact. */
    EVERYTHING("everything at once"),
    /** Machines that sleep longer than the expiry time, and then go on. */
    SUSPENDED("machines suspended for longer than streams are remembered"),
    /** Datagrams kept back longer than the expiry time, and then delivered. */
    LATE("datagrams delivered after their stream was forgotten"),
    /** A ledger with hardly any room for watermarks and streams. */
    FULL("a ledger without room"),
    /** A sender that forges totals far beyond what may be; the others must stay exact. */
    FORGED("a sender in quarantine"),
    /** Somebody who writes totals beyond all bounds in the name of senders that mean well. */
    HIJACKED("totals forged in the name of others"),
    /** A flood of streams that say little, and hardly room for those that mean well. */
    CROWDED("streams that crowd out"),
    /** Collectors that share the names, by lists that change. */
    PEERS("collectors that share the names");

    private final String title;

    Scenario(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /**
     * Whether every counter must be exact at rest. Otherwise it may miss at most what was in datagrams that were lost or
     * overtaken, and have too much at most what was in those that came more than once.
     */
    boolean isExact() {
        return this == EVERYTHING || this == FORGED || this == PEERS;
    }
}
