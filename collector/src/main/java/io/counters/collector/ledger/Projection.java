package io.counters.collector.ledger;

import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;

/**
 * The state of the store's keys, as far as the ledger knows it. Pure; the ledger's lock protects it.
 *
 * <p><b>Design.</b> Per counter: its value V, the store's value P (pushed), and, while a push is in progress, its
 * goal Q, which is V as it was last committed; V may change meanwhile. There is one request per counter at a time.
 * Every answer is compared with P and Q: Q means that the push happened, P that it did not. P and Q are kept in memory
 * only. The disk has one bit beside V: claimed, which means that the key was read and that what was found there is in
 * V.
 *
 * <p><b>Weakness.</b> An answer may never come, and the push may still happen, or happen later. The store may lose the
 * key. Another program may write it. A crash forgets what was sent.
 *
 * <p><b>Defence.</b> A key is read before its first push. A value that is found then is an earlier count, and is adopted;
 * a value that is found later never is. (An add that reports an existing key is not enough: if its answer is lost, it
 * is not known whose value the key has.) So nothing is sent before the claim is committed, together with what was
 * adopted. If a crash comes before that, the key is read as a new one again, and is unchanged. A key in doubt is read
 * before anything else is done with it, and after a crash all keys are: whatever an earlier run had in progress, what
 * the next one reads is P, and V - P is pushed. So nothing else needs to be on disk before a push, and no answer costs
 * a commit. Any value other than P or Q means a lost key, a late increment or another writer: what was read becomes P.
 * Keys at rest are read again from time to time, which detects everything else.
 */
final class Projection {
    /** The state of a counter between two steps. */
    private enum Phase {
        /** Nothing is in progress. */
        IDLE,
        /** The push was sent. */
        SENT,
        /** The key must be read before anything else. */
        DOUBT,
        /** A read was sent. */
        READING,
        /** The value of the key is not a counter; the key is read again together with keys at rest. */
        PARKED
    }

    private final NameTable names;
    private final Values values;
    private final IntConsumer changes;

    /** Whether a value that is found under the key of a new counter is an earlier count. It changes to false at most. */
    private boolean adopts;

    private Projected[] states = new Projected[1024];
    private Phase[] phases = new Phase[1024];
    private long[] pushed = new long[1024];
    private long[] goals = new long[1024];

    /**
     * Counters with a request that is due or in progress, or with a key to read; not those whose claim is being
     * committed.
     */
    private final BitSet due = new BitSet();

    /**
     * The keys that are not new; and of these, those whose claim is in no commit yet, those in the present one, and
     * those on disk.
     */
    private final BitSet claimed = new BitSet();

    private BitSet claiming = new BitSet();
    private BitSet committing = new BitSet();
    private final BitSet committed = new BitSet();
    /** The counters that were removed, as committed: their keys are set to 0, and not restored if they are missing. */
    private BitSet removed = new BitSet();

    private int size;
    private int nextDue;
    private int nextAtRest;

    private final LongAdder repaired;
    private final LongAdder foreign;
    private final LongAdder doubts;
    private final LongAdder adopted;
    private final LongAdder refused;

    /**
     * @param state with the names and values of the counters, which may grow
     * @param changes is told of a counter whose claim must be committed
     */
    Projection(LedgerState state, IntConsumer changes, Metrics metrics) {
        names = state.names;
        values = state.values;
        this.changes = changes;
        adopts = state.head().adopts();
        removed = state.facts.committedRemoved();
        for (int counter = 0; counter < names.size(); counter++) {
            restore(state.claimed.get(counter));
        }
        repaired = metrics.count("store_lost_keys_total", "Keys that the store lost, and that were restored.");
        foreign = metrics.count(
                "store_foreign_values_total",
                "Values in the store that another program wrote, and that were corrected.");
        doubts = metrics.count("store_doubts_total", "Pushes to the store that may or may not have happened.");
        adopted = metrics.count(
                "store_adopted_keys_total", "Keys that the store had before, whose values became starting values.");
        refused = metrics.count("store_refused_keys_total", "Writes that the store refused.");
    }

    /** Adds the next counter, in the order of their numbers. */
    void add() {
        int counter = add(adopts ? Projected.NEW : Projected.MISSING, adopts ? Phase.DOUBT : Phase.IDLE);
        if (!adopts) {
            claim(counter, Projected.MISSING);
        }
    }

    /** Adds the next counter, which an earlier run, or another ledger, has counted. */
    void restore(boolean isClaimed) {
        boolean isNew = !isClaimed && adopts;
        int counter = add(isNew ? Projected.NEW : Projected.MISSING, Phase.DOUBT);
        claimed.set(counter, !isNew);
        committed.set(counter, !isNew);
    }

    private int add(Projected state, Phase phase) {
        if (size == states.length) {
            states = Arrays.copyOf(states, 2 * size);
            phases = Arrays.copyOf(phases, 2 * size);
            pushed = Arrays.copyOf(pushed, 2 * size);
            goals = Arrays.copyOf(goals, 2 * size);
        }
        states[size] = state;
        phases[size] = phase;
        due.set(size);
        return size++;
    }

    /** Whether its key was read, or is not to be adopted. */
    boolean isClaimed(int counter) {
        return claimed.get(counter);
    }

    /** Claims a key; the claim must be committed before anything is sent for it. */
    private void claim(int counter, Projected state) {
        states[counter] = state;
        claimed.set(counter);
        claiming.set(counter);
    }

    /** Takes the claims for the next commit. */
    BitSet takeClaimed() {
        committing = claiming;
        claiming = new BitSet(size);
        return (BitSet) claimed.clone();
    }

    /**
     * Called when the claims that were taken are committed.
     *
     * @param changed the counters whose values are committed, too
     * @param nowRemoved the counters that are removed, as committed
     */
    void committed(BitSet changed, BitSet nowRemoved) {
        removed = nowRemoved;
        committed.or(committing);
        committing = new BitSet();
        due.or(changed);
    }

    /** Called when the claims that were taken did not reach the disk. */
    void putBack() {
        claiming.or(committing);
        committing = new BitSet();
    }

    /**
     * Takes the requests that may be sent now, up to {@code max}, and up to {@code atRest} reads of keys at rest.
     */
    List<Push> take(int max, int atRest) {
        List<Push> requests = new ArrayList<>();
        int counter = due.nextSetBit(nextDue);
        for (; counter >= 0 && requests.size() < max; counter = due.nextSetBit(counter + 1)) {
            Phase phase = phases[counter];
            if (phase == Phase.DOUBT) {
                requests.add(read(counter));
            } else if (phase == Phase.PARKED || (phase == Phase.IDLE && isAsCommitted(counter))) {
                due.clear(counter);
            } else if (phase == Phase.IDLE) {
                requests.add(push(counter, values.committed(counter)));
            }
        }
        // The next round begins where this one ended, so that keys of a dead server do not starve others.
        nextDue = Math.max(counter, 0);
        for (int i = Math.min(atRest, size); i > 0; i--) {
            nextAtRest = nextAtRest + 1 < size ? nextAtRest + 1 : 0;
            Phase phase = phases[nextAtRest];
            if (phase == Phase.PARKED || (phase == Phase.IDLE && states[nextAtRest] == Projected.KNOWN)) {
                requests.add(read(nextAtRest));
            }
        }
        return requests;
    }

    /** Whether there is nothing to send before the next commit. */
    private boolean isAsCommitted(int counter) {
        return !committed.get(counter)
                || (states[counter] == Projected.KNOWN && pushed[counter] == values.committed(counter))
                || (states[counter] == Projected.MISSING && removed.get(counter));
    }

    private Push push(int counter, long goal) {
        boolean moves = states[counter] == Projected.KNOWN;
        states[counter] = moves ? Projected.MOVING : Projected.ADDING;
        phases[counter] = Phase.SENT;
        goals[counter] = goal;
        return moves
                ? new Push(counter, names.name(counter), Kind.INCREMENT, goal - pushed[counter])
                : new Push(counter, names.name(counter), Kind.ADD, goal);
    }

    private Push read(int counter) {
        phases[counter] = Phase.READING;
        return new Push(counter, names.name(counter), Kind.READ, 0);
    }

    /**
     * Processes the store's answer.
     *
     * @return what must be added to the counter's value: what was found under a key that was never claimed
     */
    long answered(Push request, Reply reply) {
        int counter = request.counter();
        Projected before = states[counter];
        if (reply instanceof Unknown) {
            if (request.kind() != Kind.READ) {
                doubts.increment();
            }
            phases[counter] = before == Projected.KNOWN ? Phase.IDLE : Phase.DOUBT;
        } else if (reply instanceof Refused) {
            refused.increment();
            phases[counter] = Phase.PARKED;
        } else if (reply instanceof Exists) {
            phases[counter] = Phase.DOUBT;
        } else {
            phases[counter] = Phase.IDLE;
            if (before == Projected.NEW) {
                due.clear(counter);
                changes.accept(counter);
                return adopt(counter, reply);
            }
            if (reply instanceof Holds holds) {
                holds(counter, before, holds.value());
            } else {
                if (before == Projected.KNOWN || before == Projected.MOVING) {
                    repaired.increment();
                }
                states[counter] = Projected.MISSING;
            }
        }
        boolean waits = phases[counter] == Phase.PARKED || (phases[counter] == Phase.IDLE && isAsCommitted(counter));
        if (due.get(counter) == waits) {
            // Flips only on a change: clearing the last of a million bits makes a BitSet search all of them.
            due.flip(counter);
        }
        return 0;
    }

    private long adopt(int counter, Reply reply) {
        if (reply instanceof Holds holds) {
            claim(counter, Projected.KNOWN);
            pushed[counter] = holds.value();
            adopted.increment();
            return holds.value();
        }
        claim(counter, Projected.MISSING);
        return 0;
    }

    private void holds(int counter, Projected before, long value) {
        states[counter] = Projected.KNOWN;
        long expected = before == Projected.KNOWN ? pushed[counter] : goals[counter];
        boolean notMoved = before == Projected.MOVING && value == pushed[counter];
        pushed[counter] = value;
        if (value != expected && !notMoved && before != Projected.MISSING) {
            foreign.increment();
        }
    }

    /**
     * Claims all keys that were never pushed without adopting them: their values may be this ledger's own later values.
     */
    void adoptNothing() {
        adoptNothingNew();
        for (int counter = claimed.nextClearBit(0); counter < size; counter = claimed.nextClearBit(counter + 1)) {
            claim(counter, Projected.MISSING);
            changes.accept(counter);
        }
    }

    /** From now on, new counters do not adopt what is found under their keys. */
    void adoptNothingNew() {
        adopts = false;
    }

    boolean adopts() {
        return adopts;
    }

    /** Called when the value of the key is not an earlier count: its counter is removed, or contains what was pushed. */
    void disown(int counter) {
        if (!claimed.get(counter)) {
            claim(counter, Projected.MISSING);
        }
    }

    /**
     * How many keys may not have their counters' values.
     *
     * @param uncommitted the counters with changes that are not committed; changed here
     */
    int unanswered(BitSet uncommitted) {
        uncommitted.or(due);
        return uncommitted.cardinality();
    }
}
