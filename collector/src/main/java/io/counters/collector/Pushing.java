package io.counters.collector;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.store.Pusher;
import io.counters.collector.store.Store;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Pushes ledgers to the shared store, on a thread of its own; does nothing if there is no store. */
final class Pushing {
    private static final long PUSH_MILLIS = 100;
    private static final long AGAIN_MILLIS = 1000;

    private final Assembly parts;
    private final @Nullable Store store;
    private final @Nullable Pusher pusher;
    private @Nullable Thread thread;

    /** @param targets as those of {@link Pusher} */
    Pushing(CollectorSettings settings, Supplier<List<Pusher.Target>> targets, Assembly parts) {
        this.parts = parts;
        store = settings.storing().isShared() ? parts.open(settings.storing().open(System::nanoTime)) : null;
        pusher = store == null ? null : new Pusher(targets, store, settings.prefix(), parts.faults, parts.metrics);
    }

    /** See {@link Pusher#begin}. */
    void begin() throws IOException {
        if (pusher != null) {
            pusher.begin();
        }
    }

    /** Whether it is known what earlier ledgers have written to the store. From any thread. */
    boolean hasLearnt(Ledger ledger) {
        return pusher == null || pusher.hasLearnt(ledger);
    }

    /** Starts the loop. */
    void start() {
        if (pusher != null) {
            Pusher pushes = pusher;
            thread = parts.loop(
                    "counters-store", () -> !pushes.run() ? AGAIN_MILLIS : pushes.hasMore() ? 0 : PUSH_MILLIS);
        }
    }

    /**
     * After the loop has ended, pushes what is left, for as long as the store answers, but not longer than this time. Nothing
     * is read meanwhile, so a store that has not answered the loop is not asked again; the ledger has what it lacks.
     *
     * @param commit called after each round
     */
    void end(LedgerView counted, Runnable commit, long millis) {
        // If a round still waits for the store, no other may run: a pusher is for one thread.
        if (pusher == null
                || thread == null
                || thread.isAlive()
                || pusher.trouble().isPresent()) {
            return;
        }
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        boolean answered = true;
        while (answered && counted.unanswered() > 0 && System.nanoTime() - deadline < 0) {
            answered = pusher.run();
            commit.run();
        }
    }

    /** Adds the store to the parts that may fail. */
    void watch(Map<String, Supplier<Optional<String>>> watched) {
        if (pusher != null) {
            watched.put("store " + store, pusher::trouble);
        }
    }

    /** Where it pushes, for the lines at the start. */
    @Override
    public String toString() {
        return store == null ? "none, only the ledger" : store.toString();
    }
}
