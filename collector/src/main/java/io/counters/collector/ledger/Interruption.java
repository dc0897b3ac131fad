package io.counters.collector.ledger;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What has interrupted a change of a ledger: an error without memory, or a bug. Parts of the ledger may contradict each other
 * then, so nothing of it is committed any more. An error of what calls the ledger, such as a parser, interrupts no change.
 *
 * <p>The ledger's lock protects what is changed; any thread may ask.
 */
final class Interruption {
    private volatile @Nullable Throwable first;

    boolean isThere() {
        return first != null;
    }

    /** Throws {@link BrokenLedger} if a change was interrupted. */
    void refuse() {
        BrokenLedger.refuse(first);
    }

    /** Makes a change, and returns what it returns. */
    <T> T change(Supplier<T> change) {
        try {
            return change.get();
        } catch (Throwable failure) {
            throw by(failure);
        }
    }

    /** Makes a change. */
    void change(Runnable change) {
        try {
            change.run();
        } catch (Throwable failure) {
            throw by(failure);
        }
    }

    /**
     * Notes what a change has thrown, which must be thrown again. For changes that are made for each line, and so must not cost
     * an object.
     */
    RuntimeException by(Throwable failure) {
        if (first == null) {
            first = failure;
        }
        if (failure instanceof Error error) {
            throw error;
        }
        return (RuntimeException) failure;
    }
}
