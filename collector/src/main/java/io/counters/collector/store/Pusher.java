package io.counters.collector.store;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Unknown;
import io.counters.collector.ledger.StoreStamp;
import java.io.IOException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Pushes to the store what the ledger has committed, in rounds. Called by one thread. */
public final class Pusher {
    private static final Logger log = LoggerFactory.getLogger(Pusher.class);

    /** About the most requests of one round, which take a slow store a second. */
    static final int ROUND = 16_000;

    /** The key of the ledger's stamp in the store; it cannot be a counter's. */
    static final String STAMP = "counters:ledger";

    /** The key of the stamp of whatever ledger of a fleet has written to the store last; it cannot be a counter's. */
    static final String FLEET = "counters:fleet";

    /** Begins what is in its place, before a stamp, after that embedded ledger has adopted what a fleet had written. */
    private static final String LEFT = "left";

    private static final int ANSWERS_AT_ONCE = 500;

    /** The most requests of a round to a store that does not answer. */
    private static final int PROBE = 16;

    /** Every key at rest is read again once in this many rounds: about a minute, at ten rounds a second. */
    static final int ROUNDS_TO_SEE_ALL = 600;

    /** About this many rounds without a pause take as long as one round with the pause after it. */
    private static final int ROUNDS_A_PAUSE = 10;

    private final Supplier<List<Target>> targets;
    private final Store store;
    private final String prefix;
    private final String stamp;
    private final String fleetStamp;
    private final FaultLog faults;

    /** The ledgers that are pushed now. */
    private final Map<Ledger, Pushed> pushed = new LinkedHashMap<>();

    /** Those of them whose stamp was read. */
    private final Set<Ledger> learnt = ConcurrentHashMap.newKeySet();

    private boolean unlearnt;

    /** The first key that got no answer; the store is silent until it answers for this key. */
    private @Nullable String unansweredKey;

    /** Full rounds since the last request without an answer; keys at rest are read in full rounds only. */
    private int answeredRounds;

    private volatile boolean isSilent;

    /** Why nothing may be pushed to this store. */
    private volatile @Nullable String refusal;

    private boolean hasMore;
    private int window = ROUND;
    private final LongAdder requests;
    private final LongAdder unanswered;
    private final LongAdder lost;

    /**
     * A ledger to push.
     *
     * @param part distinguishes it from other ledgers that are pushed to the same store with the same prefix; empty if
     *     there is no other
     */
    public record Target(Ledger ledger, String part) {}

    /** @param prefix precedes every counter's key */
    public Pusher(Ledger ledger, Store store, String prefix, FaultLog faults, Metrics metrics) {
        this(() -> List.of(new Target(ledger, "")), store, prefix, faults, metrics);
    }

    /** @param targets which may change between two rounds; they have no name in common */
    public Pusher(Supplier<List<Target>> targets, Store store, String prefix, FaultLog faults, Metrics metrics) {
        this.targets = targets;
        this.store = store;
        this.prefix = prefix;
        String of = prefix.isEmpty() ? "" : ":" + prefix;
        stamp = STAMP + of;
        fleetStamp = FLEET + of;
        this.faults = faults;
        metrics.gauge("store_up", "1 while the store answers, otherwise 0.", () -> isSilent ? 0 : 1);
        requests = metrics.count("store_requests_total", "Requests to the store.");
        unanswered = metrics.count("store_unanswered_total", "Requests to the store without an answer.");
        lost = metrics.count("store_lost_keys_total", "Keys that the store lost, and that were restored.");
    }

    /**
     * Reads the store's stamp; called before the first push, and before anything is counted. If it cannot be read, a new
     * ledger ignores the totals of streams that began before it.
     *
     * @throws IOException if counts would be added twice in this store; the message has the remedy
     */
    public void begin() throws IOException {
        look();
        boolean hasLearnt = learn();
        if (refusal != null) {
            throw new IOException("cannot use " + store + ": " + refusal);
        }
        if (!hasLearnt) {
            pushed.keySet().stream().filter(Ledger::isNew).forEach(Ledger::forgetEarlier);
        }
    }

    /** Whether the stamp of this ledger was read, or that of the ledger before it. From any thread. */
    public boolean hasLearnt(Ledger ledger) {
        return learnt.contains(ledger);
    }

    /** Finds out which ledgers are to be pushed. */
    private void look() {
        List<Target> now = targets.get();
        pushed.keySet().retainAll(now.stream().map(Target::ledger).collect(Collectors.toSet()));
        learnt.retainAll(pushed.keySet());
        for (Target target : now) {
            pushed.computeIfAbsent(
                    target.ledger,
                    fresh -> new Pushed(fresh, stamp + (target.part.isEmpty() ? "" : ":" + target.part)));
        }
    }

    /** Reads the stamps that were not read yet. */
    private boolean learn() {
        try {
            refusal = null;
            for (Pushed one : pushed.values()) {
                if (!learnt.contains(one.ledger)) {
                    learn(one);
                }
            }
            isSilent = false;
            if (unlearnt) {
                unlearnt = false;
                log.info("{} answers", store);
            }
            return refusal == null;
        } catch (IOException noAnswer) {
            unlearnt = true;
            isSilent = true;
            faults.warn(
                    "store unanswered",
                    store + " gave no usable answer (" + FaultLog.shown(String.valueOf(noAnswer.getMessage()))
                            + "); counts are kept, and pushed once it answers again");
            return false;
        }
    }

    private void learn(Pushed one) throws IOException {
        boolean isOfFleet = !one.stamp.equals(stamp);
        String text = store.stamp(one.stamp);
        String fleets = store.stamp(fleetStamp);
        boolean isLeft = fleets != null && fleets.startsWith(LEFT);
        // Parts of an embedded ledger that was imported have its ID.
        boolean isOurs =
                isOf(one.ledger, isLeft ? Objects.requireNonNull(fleets).substring(LEFT.length()) : fleets);
        boolean isTaken = isOfFleet
                ? isLeft && !isOurs
                : fleets != null && StoreStamp.of(fleets).isPresent();
        if (isTaken && !one.ledger.isNew()) {
            String why = (isOfFleet ? "a collector with an embedded ledger" : "a fleet")
                    + " has written there after this ledger, so nothing is pushed, because counts would be added twice; use"
                    + " another --prefix"
                    + (isOfFleet
                            ? ""
                            : ", or stop the fleet and begin with a new --data-dir, which adopts the values there");
            refusal = why;
            faults.warn("stamp", store + ": " + why);
            return;
        }
        if (isTaken && !isOfFleet) {
            text = fleets;
            one.adopts = true;
        } else if (isOfFleet && !isOf(one.ledger, text) && (isOurs || (text == null && one.ledger.isNew()))) {
            // A ledger of its own may have come before those of partitions, and after those of an earlier fleet.
            text = store.stamp(stamp);
        }
        String remark =
                one.ledger.found(text == null ? null : StoreStamp.of(text).orElse(null));
        if (remark != null) {
            faults.warn("stamp", store + ": " + remark);
        }
        learnt.add(one.ledger);
    }

    private static boolean isOf(Ledger ledger, @Nullable String stamp) {
        return stamp != null
                && StoreStamp.of(stamp.strip())
                        .map(StoreStamp::ledger)
                        .equals(Optional.of(ledger.stamp().ledger()));
    }

    /**
     * Runs one round.
     *
     * @return false if the store answered nothing of it, so that the next round should wait for a moment
     */
    public boolean run() {
        boolean hadMore = hasMore;
        hasMore = false;
        look();
        if (!learnt.containsAll(pushed.keySet())) {
            // The result must be committed before anything is pushed.
            return learn();
        }
        for (Pushed one : pushed.values()) {
            one.adopts = one.adopts && !isNoted(one.ledger);
            one.readsOwed += one.ledger.size() / (hadMore ? ROUNDS_A_PAUSE : 1);
            one.moves = false;
        }
        Round round = new Round(List.copyOf(pushed.values()), window == ROUND);
        long lostBefore = lost.sum();
        store.send(round, round);
        round.passOn();
        round.all.forEach(one -> one.readsOwed %= ROUNDS_TO_SEE_ALL);
        answeredRounds = round.silent > 0 || window < ROUND ? 0 : answeredRounds + 1;
        if (unansweredKey != null && answeredRounds >= ROUNDS_TO_SEE_ALL && round.taken > 0) {
            // All keys were read since then: this one may belong to another collector now.
            answersAgain();
        }
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
        Pushed last = null;
        for (Pushed one : round.all) {
            if (one.moves) {
                store.stamp(one.stamp, one.ledger.stamp().toString());
                last = one;
            }
        }
        if (last != null && !last.stamp.equals(stamp)) {
            store.stamp(fleetStamp, last.ledger.stamp().toString());
        }
        int answered = round.taken - round.silent;
        hasMore = round.taken >= window && 4 * answered > round.taken;
        // A store that does not answer gets few requests, then more and more; if only one server of several is silent,
        // the rounds stay full for the others.
        window = answered == 0 ? PROBE : Math.min(ROUND, 4 * window);
        return answered > 0;
    }

    /** Notes in the store that a ledger adopts what a fleet has written, once that is committed. */
    private boolean isNoted(Ledger ledger) {
        if (ledger.isNew()) {
            return false;
        }
        String text = LEFT + " " + ledger.stamp();
        store.stamp(fleetStamp, text);
        try {
            return text.equals(store.stamp(fleetStamp));
        } catch (IOException noAnswer) {
            log.debug("{} has not said whether it has its stamp", store, noAnswer);
            return false;
        }
    }

    /** The requests of a round, and their results. */
    private final class Round implements Store.Requests, Store.Replies {
        private record Answered(Ledger ledger, Push request, Push.Reply reply) {}

        private final List<Pushed> all;
        private final boolean readsAtRest;
        private final List<Answered> answers = new ArrayList<>(ANSWERS_AT_ONCE);

        /** The ledgers of requests without a reply, if there are several. */
        private final IdentityHashMap<Push, Ledger> asked = new IdentityHashMap<>();

        private int turn;
        private int taken;
        private int silent;

        /** @param readsAtRest whether keys at rest are read */
        Round(List<Pushed> all, boolean readsAtRest) {
            this.all = all;
            this.readsAtRest = readsAtRest;
        }

        /** Takes requests of one ledger after the other, and goes on with the next one when it is asked again. */
        @Override
        public List<Push> take(int max) {
            List<Push> some = new ArrayList<>();
            for (int i = 0; i < all.size() && some.size() < max; i++) {
                Pushed one = all.get(turn);
                List<Push> more = take(one, max - some.size());
                if (all.size() > 1) {
                    more.forEach(request -> asked.put(request, one.ledger));
                }
                some.addAll(more);
                turn = (turn + 1) % all.size();
            }
            return some;
        }

        private List<Push> take(Pushed one, int max) {
            int owed = readsAtRest ? (int) (one.readsOwed / ROUNDS_TO_SEE_ALL) : 0;
            int looks = Math.min(owed, max / 2);
            List<Push> some = one.ledger.take(Math.max(0, Math.min(max - looks, window - taken)), looks);
            one.readsOwed -= (long) looks * ROUNDS_TO_SEE_ALL;
            taken += some.size();
            one.moves = one.moves || some.stream().anyMatch(request -> request.kind() != Push.Kind.READ);
            return prefixed(some);
        }

        private Ledger ledger(Push request) {
            return all.size() == 1 ? all.get(0).ledger : Objects.requireNonNull(asked.remove(request));
        }

        @Override
        public void answered(Push request, Push.Reply reply) {
            if (reply instanceof Unknown unknown) {
                silent++;
                unanswered(request, unknown);
            } else if (request.key().equals(unansweredKey)) {
                answersAgain();
            }
            if (reply instanceof Refused refused) {
                faults.warn(
                        "store refused " + kind(refused.why()),
                        store + " refused the key " + request.key() + ": " + FaultLog.shown(refused.why())
                                + ", and the counter is pushed within a minute");
            }
            answers.add(new Answered(ledger(request), request, reply));
            if (answers.size() == ANSWERS_AT_ONCE) {
                passOn();
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
         * Passes many answers on as one batch of each ledger, but so few that intake waits only briefly. If one
         * fails, the others are still passed on: the ledger would never send a request for a key without its answer.
         */
        void passOn() {
            RuntimeException[] failure = new RuntimeException[1];
            for (int begin = 0, end; begin < answers.size(); begin = end) {
                Ledger ledger = answers.get(begin).ledger;
                end = begin + 1;
                while (end < answers.size() && answers.get(end).ledger == ledger) {
                    end++;
                }
                List<Answered> batch = answers.subList(begin, end);
                ledger.batch(() -> {
                    for (Answered one : batch) {
                        try {
                            ledger.answered(one.request, one.reply);
                        } catch (RuntimeException fault) {
                            failure[0] = fault;
                        }
                    }
                });
            }
            answers.clear();
            if (failure[0] != null) {
                throw failure[0];
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
        String why = refusal;
        return why != null
                ? Optional.of(store + " is not written: " + why)
                : isSilent ? Optional.of(store + " does not answer") : Optional.empty();
    }

    /** Whether the last round left more to push, so that the next need not wait. */
    public boolean hasMore() {
        return hasMore;
    }

    private void answersAgain() {
        unansweredKey = null;
        isSilent = false;
        log.info("{} answers again", store);
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
