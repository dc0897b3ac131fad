package io.counters.collector.ledger;

import io.counters.collector.common.Threads;
import org.jspecify.annotations.Nullable;

/**
 * A ledger was changed only in part, because there was no memory, or by a bug: its parts may contradict each other, and what a
 * commit states about its rows may be wrong. So the process must end without another commit. The next start begins with the
 * last one.
 */
final class BrokenLedger extends Threads.MustEnd {
    private static final long serialVersionUID = 1;

    private BrokenLedger(String message, Throwable cause) {
        super(message, cause);
    }

    /** Throws this if a change was interrupted. */
    static void refuse(@Nullable Throwable interruption) {
        if (interruption != null) {
            throw new BrokenLedger(
                    "a change of the ledger was interrupted (" + interruption
                            + "), so nothing more of it is written; start it"
                            + " again, and the ledger is that of the last commit"
                            + (interruption instanceof OutOfMemoryError
                                    ? "; give it more memory (java -Xmx)"
                                    : "; report this bug"),
                    interruption);
        }
    }
}
