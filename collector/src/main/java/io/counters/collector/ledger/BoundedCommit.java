package io.counters.collector.ledger;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Commits for callers who wait for a limited time only: a disk may hang, and a worker that waited for it would serve nobody. One
 * thread commits; callers that come while it does share the next commit. For any thread.
 */
public final class BoundedCommit {
    private final BooleanSupplier commit;
    private final Executor thread;
    private final long waitMillis;

    /** The commit that has not begun, which brings what changed until it begins. */
    private @Nullable CompletableFuture<Boolean> next;

    /**
     * @param commit returns whether everything is on disk; may hang
     * @param thread of its own, which does one thing at a time
     */
    public BoundedCommit(BooleanSupplier commit, Executor thread, long waitMillis) {
        this.commit = commit;
        this.thread = thread;
        this.waitMillis = waitMillis;
    }

    /** Commits what changed so far. Returns whether all of it is on disk; false, too, if that is not known in time. */
    public boolean run() {
        try {
            return next().get(waitMillis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | RejectedExecutionException hangsOrEnded) {
            return false;
        } catch (ExecutionException impossible) {
            throw new IllegalStateException("a commit is never completed with an exception", impossible);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private synchronized CompletableFuture<Boolean> next() {
        CompletableFuture<Boolean> waiting = next;
        if (waiting == null) {
            thread.execute(this::commitNext);
            waiting = new CompletableFuture<>();
            next = waiting;
        }
        return waiting;
    }

    private void commitNext() {
        CompletableFuture<Boolean> begun;
        synchronized (this) {
            begun = next;
            next = null;
        }
        boolean isOnDisk = commit.getAsBoolean();
        if (begun != null) {
            begun.complete(isOnDisk);
        }
    }
}
