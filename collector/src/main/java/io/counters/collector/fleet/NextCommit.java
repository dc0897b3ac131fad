package io.counters.collector.fleet;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The result of the next commit that begins, for all who wait for it. One thread commits; any may wait. */
final class NextCommit {
    private static final long AWAIT_SECONDS = 5;

    private volatile CompletableFuture<Boolean> next = new CompletableFuture<>();

    /** Called when a commit begins, which must complete what this returns. Who waits from now on waits for the one after it. */
    CompletableFuture<Boolean> take() {
        CompletableFuture<Boolean> taken = next;
        next = new CompletableFuture<>();
        return taken;
    }

    /** Tells all who wait now. */
    void answer(boolean isCommitted) {
        take().complete(isCommitted);
    }

    /** Nothing is committed any more: nobody waits from now on. */
    void end() {
        next.complete(false);
    }

    /**
     * Waits until everything that was changed before this call is committed.
     *
     * @return false if it is not within 5 s, or not before the end
     */
    boolean await() {
        try {
            return next.get(AWAIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException | TimeoutException notNow) {
            return false;
        }
    }
}
