package io.counters.collector.intake;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Whether a receiving thread still makes rounds. One thread looks, regularly; any may ask what was found. */
final class Rounds {
    /** A thread that waits for the ledger's lock for less is only slow. */
    static final long HANGS_SECONDS = 5;

    private final String what;
    private final LongSupplier rounds;
    private final BooleanSupplier mustRead;
    private final LongSupplier nanoClock;
    private long lastRounds = -1;
    private long lastNanos;
    private volatile Optional<String> trouble = Optional.empty();

    /**
     * @param what does not go on, for the message
     * @param rounds how many rounds the thread has made
     * @param mustRead whether it should make one now; a thread that waits for datagrams makes none while none arrive
     */
    Rounds(String what, LongSupplier rounds, BooleanSupplier mustRead, LongSupplier nanoClock) {
        this.what = what;
        this.rounds = rounds;
        this.mustRead = mustRead;
        this.nanoClock = nanoClock;
    }

    void look() {
        long now = nanoClock.getAsLong();
        long made = rounds.getAsLong();
        if (made != lastRounds || !mustRead.getAsBoolean()) {
            lastRounds = made;
            lastNanos = now;
        }
        long seconds = TimeUnit.NANOSECONDS.toSeconds(now - lastNanos);
        trouble = seconds < HANGS_SECONDS
                ? Optional.empty()
                : Optional.of(what + " has read nothing for " + seconds + " s, although something waits");
    }

    /** What was found last, as text for people. */
    Optional<String> trouble() {
        return trouble;
    }
}
