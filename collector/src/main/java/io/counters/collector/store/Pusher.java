package io.counters.collector.store;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Mark;
import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Unknown;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Pushes to the store what the ledger has committed, in rounds. Called by one thread. */
public final class Pusher {
    private static final Logger log = LoggerFactory.getLogger(Pusher.class);

    /** About the most requests of one round, which take a slow store a second. */
    static final int ROUND = 16_000;

    /** The key of the ledger's mark in the store; it can't be a counter's. */
    static final String MARK = "counters:ledger";

    private static final int SETTLED_AT_ONCE = 500;

    /** The most requests of a round to a store that does not answer. */
    private static final int PROBE = 16;

    /** Every key at rest is read again once in this many rounds: about a minute, at ten rounds a second. */
    private static final int ROUNDS_TO_SEE_ALL = 600;

    /** About this many rounds without a pause take as long as one round with the pause after it. */
    private static final int ROUNDS_A_PAUSE = 10;

    private final Ledger ledger;
    private final Store store;
    private final String prefix;
    private final String mark;
    private final FaultLog faults;
    private boolean learnt;
    private boolean unlearnt;
    private @Nullable String unansweredKey;
    private volatile boolean isSilent;
    private boolean hasMore;
    private int window = ROUND;
    private long readsOwed;
    private final LongAdder requests;
    private final LongAdder unanswered;
    private final LongAdder lost;

    /** @param prefix precedes every counter's key */
    public Pusher(Ledger ledger, Store store, String prefix, FaultLog faults, Self self) {
        this.ledger = ledger;
        this.store = store;
        this.prefix = prefix;
        mark = MARK + (prefix.isEmpty() ? "" : ":" + prefix);
        this.faults = faults;
        self.gauge("store_up", "1 while the store answers, otherwise 0.", () -> isSilent ? 0 : 1);
        requests = self.count("store_requests_total", "Requests to the store.");
        unanswered = self.count("store_unanswered_total", "Requests to the store without an answer.");
        lost = self.count("store_lost_keys_total", "Keys that the store lost, and that were restored.");
    }

    /**
     * Reads the store's mark; called before the first push, and before anything is counted. If it can't be read, a new
     * ledger ignores the totals of streams that began before it.
     */
    public void begin() {
        if (!learn() && ledger.isNew()) {
            ledger.forgetEarlier();
        }
    }

    private boolean learn() {
        try {
            String text = store.mark(mark);
            String remark = ledger.found(text == null ? null : Mark.of(text).orElse(null));
            if (remark != null) {
                faults.warn("mark", store + ": " + remark);
            }
            learnt = true;
            isSilent = false;
            if (unlearnt) {
                log.info("{} answers", store);
            }
        } catch (IOException noAnswer) {
            unlearnt = true;
            isSilent = true;
            faults.warn(
                    "store unanswered",
                    store + " gave no usable answer (" + FaultLog.shown(String.valueOf(noAnswer.getMessage()))
                            + "); counts are kept, and pushed once it answers again");
        }
        return learnt;
    }

    /**
     * Runs one round.
     *
     * @return false if the store answered nothing of it, so that the next round should wait for a moment
     */
    public boolean run() {
        boolean hadMore = hasMore;
        hasMore = false;
        if (!learnt) {
            // The result must be committed before anything is pushed.
            return learn();
        }
        readsOwed += ledger.size() / (hadMore ? ROUNDS_A_PAUSE : 1);
        Round round = new Round(window == ROUND ? (int) (readsOwed / ROUNDS_TO_SEE_ALL) : 0);
        readsOwed %= ROUNDS_TO_SEE_ALL;
        long lostBefore = lost.sum();
        store.send(round, round);
        round.settle();
        if (round.taken == 0) {
            window = Math.min(ROUND, 4 * window);
            return true;
        }
        requests.add(round.taken);
        if (lost.sum() > lostBefore) {
            faults.warn(
                    "store lost keys",
                    () -> store + " has lost keys (keys: " + (lost.sum() - lostBefore) + "): " + store.loss()
                            + "; they are restored");
        }
        if (round.moves) {
            store.mark(mark, ledger.mark().toString());
        }
        int answered = round.taken - round.silent;
        hasMore = round.taken >= window && 4 * answered > round.taken;
        // A store that does not answer gets few requests, then more and more; if only one server of several is silent,
        // the rounds stay full for the others.
        window = answered == 0 ? PROBE : Math.min(ROUND, 4 * window);
        return answered > 0;
    }

    /** The requests of a round, and their results. */
    private final class Round implements Store.Requests, Store.Replies {
        private record Settled(Push request, Push.Reply reply) {}

        private final List<Settled> settled = new ArrayList<>(SETTLED_AT_ONCE);
        private int atRest;
        private int taken;
        private int silent;
        private boolean moves;

        /** @param atRest how many keys at rest to read */
        Round(int atRest) {
            this.atRest = atRest;
        }

        @Override
        public List<Push> take(int max) {
            int looks = Math.min(atRest, max / 2);
            List<Push> some = ledger.take(Math.max(0, Math.min(max - looks, window - taken)), looks);
            atRest -= looks;
            taken += some.size();
            moves = moves || some.stream().anyMatch(request -> request.kind() != Push.Kind.READ);
            return prefixed(some);
        }

        @Override
        public void settle(Push request, Push.Reply reply) {
            if (reply instanceof Unknown unknown) {
                silent++;
                unanswered(request, unknown);
            } else if (request.key().equals(unansweredKey)) {
                unansweredKey = null;
                isSilent = false;
                log.info("{} answers again", store);
            }
            if (reply instanceof Refused refused) {
                faults.warn(
                        "store refused " + kind(refused.why()),
                        store + " refused the key " + request.key() + ": " + FaultLog.shown(refused.why())
                                + ", and the counter is pushed within a minute");
            }
            settled.add(new Settled(request, reply));
            if (settled.size() == SETTLED_AT_ONCE) {
                settle();
            }
        }

        /**
         * The reason without what the server adds in brackets, so that different words are not different kinds of
         * faults.
         */
        private static String kind(String why) {
            int bracket = why.indexOf('(');
            return bracket < 0 ? why : why.substring(0, bracket);
        }

        /**
         * Settles many requests under one hold of the ledger's lock, but so few that intake waits only briefly. If one
         * can't be settled, the others still are: the ledger would never send a request for a key that was not settled.
         */
        void settle() {
            RuntimeException failure = null;
            synchronized (ledger) {
                for (Settled one : settled) {
                    try {
                        ledger.settle(one.request, one.reply);
                    } catch (RuntimeException fault) {
                        failure = fault;
                    }
                }
            }
            settled.clear();
            if (failure != null) {
                throw failure;
            }
        }
    }

    private List<Push> prefixed(List<Push> round) {
        return prefix.isEmpty()
                ? round
                : round.stream()
                        .map(push -> new Push(push.counter(), prefix + push.key(), push.kind(), push.number()))
                        .toList();
    }

    /** What keeps the store from taking values, if something does. From any thread, which does not wait. */
    public Optional<String> trouble() {
        return isSilent ? Optional.of(store + " does not answer") : Optional.empty();
    }

    /** Whether the last round left more to push, so that the next need not wait. */
    public boolean hasMore() {
        return hasMore;
    }

    private void unanswered(Push request, Unknown unknown) {
        unanswered.increment();
        if (unansweredKey == null) {
            unansweredKey = request.key();
            isSilent = true;
        }
        faults.warn(
                "store unanswered",
                () -> store + " gave no usable answer (" + FaultLog.shown(unknown.why())
                        + "); counts are kept, and pushed once it answers again");
    }
}
