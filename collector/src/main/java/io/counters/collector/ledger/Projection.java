package io.counters.collector.ledger;

import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import io.counters.collector.self.Self;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The shared store as the ledger knows it. Pure; the ledger's lock guards it.
 *
 * <p><b>Design.</b> Per counter: its value V, what the store holds P (pushed), and, while a push is under way, its goal
 * Q, which is V as it was last committed; V may move on meanwhile. One request a counter at a time. Every answer is
 * compared with P and Q: Q means that the push happened, P that it did not. P and Q are known in memory only. The disk
 * has one bit beside V: claimed, that the key was looked at and that what stood there from before is in V.
 *
 * <p><b>Weakness.</b> An answer may never come, and the push may happen all the same, or later. The store may lose the
 * key. Somebody else may write it. A crash forgets what was sent.
 *
 * <p><b>Defence.</b> A key is read before its first push: what is there already is somebody's count from before, and
 * from then on nothing that is found is. (An add that says so itself won't do: when its answer is lost, nobody can tell
 * whose the value is.) So nothing is sent before the claim is committed, and with it what was adopted: a crash before that
 * has the key read as a new one again, and finds it as it was. What is in doubt is read before anything else is done with
 * it, and after a crash all keys are: whatever a life had under way, what the next one reads is P, and V - P is
 * pushed. So nothing else need be on disk before a push, and no answer costs a commit. Anything else than P or Q is a
 * lost item, a late increment or a foreign writer: what was read is P now, too. Keys at rest are read again from time to
 * time, which finds the rest.
 */
final class Projection {
    /** Where a counter stands between two steps. */
    private enum Phase {
        /** Nothing under way. */
        IDLE,
        /** The store has the push. */
        SENT,
        /** The key must be read before anything else. */
        DOUBT,
        /** The store has been asked for the key's value. */
        READING,
        /** The key holds something that is no counter; it is looked at again when keys at rest are. */
        PARKED
    }

    private Projected[] states = new Projected[1024];
    private Phase[] phases = new Phase[1024];
    private long[] pushed = new long[1024];
    private long[] goals = new long[1024];

    /** What may be sent now, has been sent, or is to be looked at; a claim that is being committed is not yet. */
    private final BitSet due = new BitSet();

    /** The keys that are not new. Of these, those whose claim no commit has taken, those in one, and those on disk. */
    private final BitSet claimed = new BitSet();

    private BitSet claiming = new BitSet();
    private BitSet committing = new BitSet();
    private final BitSet committed = new BitSet();
    private int size;
    private int nextDue;
    private int nextAtRest;

    private final LongAdder repaired;
    private final LongAdder foreign;
    private final LongAdder doubts;
    private final LongAdder adopted;
    private final LongAdder refused;

    Projection(Self self) {
        repaired = self.count("store_lost_keys_total");
        foreign = self.count("store_foreign_values_total");
        doubts = self.count("store_doubts_total");
        adopted = self.count("store_adopted_keys_total");
        refused = self.count("store_refused_keys_total");
    }

    /**
     * Takes in the next counter, in the order of their numbers.
     *
     * @param adopts whether what is found under its key is somebody's count from before
     */
    void add(boolean adopts) {
        int counter = add(adopts ? Projected.NEW : Projected.MISSING, adopts ? Phase.DOUBT : Phase.IDLE);
        if (!adopts) {
            claim(counter, Projected.MISSING);
        }
    }

    /** Takes up the next counter of an earlier life, which adopted what it found if this one does. */
    void restore(boolean isClaimed, boolean adopts) {
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

    /** The key is no new one any more, which is to be committed before anything is sent there. */
    private void claim(int counter, Projected state) {
        states[counter] = state;
        claimed.set(counter);
        claiming.set(counter);
    }

    /** The claims as they are to be committed now. */
    BitSet takeClaimed() {
        committing = claiming;
        claiming = new BitSet(size);
        return (BitSet) claimed.clone();
    }

    /**
     * The claims taken are committed, and the values of these counters.
     *
     * @param ours the counters of this collector; null for all
     */
    void committed(BitSet changed, @Nullable BitSet ours) {
        committed.or(committing);
        committing = new BitSet();
        due.or(changed);
        if (ours != null) {
            due.and(ours);
        }
    }

    /** The claims taken did not reach the disk. */
    void putBack() {
        claiming.or(committing);
        committing = new BitSet();
    }

    /**
     * Takes the requests that may be sent now, up to {@code max}, and up to {@code atRest} reads of keys at rest.
     */
    List<Push> take(NameTable names, Values values, int max, int atRest) {
        List<Push> requests = new ArrayList<>();
        int counter = due.nextSetBit(nextDue);
        for (; counter >= 0 && requests.size() < max; counter = due.nextSetBit(counter + 1)) {
            Phase phase = phases[counter];
            if (phase == Phase.DOUBT) {
                requests.add(read(names, counter));
            } else if (phase == Phase.PARKED || (phase == Phase.IDLE && isAsCommitted(counter, values))) {
                due.clear(counter);
            } else if (phase == Phase.IDLE) {
                requests.add(push(names, counter, values.committed(counter)));
            }
        }
        // Where this round ended the next one begins, so that keys of a dead server starve no others.
        nextDue = Math.max(counter, 0);
        for (int i = Math.min(atRest, size); i > 0; i--) {
            nextAtRest = nextAtRest + 1 < size ? nextAtRest + 1 : 0;
            Phase phase = phases[nextAtRest];
            if (phase == Phase.PARKED || (phase == Phase.IDLE && states[nextAtRest] == Projected.KNOWN)) {
                requests.add(read(names, nextAtRest));
            }
        }
        return requests;
    }

    /** Whether there is nothing to send before the next commit. */
    private boolean isAsCommitted(int counter, Values values) {
        return !committed.get(counter)
                || (states[counter] == Projected.KNOWN && pushed[counter] == values.committed(counter));
    }

    private Push push(NameTable names, int counter, long goal) {
        boolean moves = states[counter] == Projected.KNOWN;
        states[counter] = moves ? Projected.MOVING : Projected.ADDING;
        phases[counter] = Phase.SENT;
        goals[counter] = goal;
        return moves
                ? new Push(counter, names.name(counter), Kind.INCREMENT, goal - pushed[counter])
                : new Push(counter, names.name(counter), Kind.ADD, goal);
    }

    private Push read(NameTable names, int counter) {
        phases[counter] = Phase.READING;
        return new Push(counter, names.name(counter), Kind.READ, 0);
    }

    /**
     * Takes the store's answer, and notes the counter as changed if it says something that is to be committed.
     * @return what the counter's value must grow by: what was found under a key that was never ours
     */
    long settle(Push request, Reply reply, Values values, BitSet changed) {
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
                changed.set(counter);
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
        boolean waits =
                phases[counter] == Phase.PARKED || (phases[counter] == Phase.IDLE && isAsCommitted(counter, values));
        if (due.get(counter) == waits) {
            // Clearing the last of a million bits makes a BitSet look through all of them.
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

    /** Keys that were never pushed are not to be taken over: what stands there may be this ledger's own, later work. */
    void claimNothing(BitSet changed) {
        for (int counter = claimed.nextClearBit(0); counter < size; counter = claimed.nextClearBit(counter + 1)) {
            claim(counter, Projected.MISSING);
            changed.set(counter);
        }
    }

    /** Whether the store has something of this counter that is not answered yet. */
    boolean isBusy(int counter) {
        return phases[counter] == Phase.SENT || phases[counter] == Phase.READING;
    }

    /** Whether its key was never looked at. */
    boolean isNew(int counter) {
        return !claimed.get(counter);
    }

    /** The key is another collector's from now on, or was all along. */
    void lose(int counter) {
        states[counter] = Projected.NEW;
        phases[counter] = Phase.DOUBT;
        pushed[counter] = 0;
        goals[counter] = 0;
        claimed.clear(counter);
        claiming.clear(counter);
        committing.clear(counter);
        committed.clear(counter);
        due.clear(counter);
    }

    /** The key may turn out to be another collector's: nothing is done with it. */
    void leave(int counter) {
        due.clear(counter);
    }

    /** As {@link #leave(int)}, of all but these. */
    void leaveAllBut(BitSet ours) {
        due.and(ours);
    }

    /** The key was another collector's: what stands there is no stranger's count from before. */
    void handed(int counter) {
        if (isNew(counter)) {
            claim(counter, Projected.MISSING);
        }
    }

    /** The key is ours from now on, and looked at before anything else; where it never got to another's, it goes on. */
    void claim(int counter) {
        if (!isBusy(counter)) {
            states[counter] = isNew(counter) ? Projected.NEW : Projected.MISSING;
            phases[counter] = Phase.DOUBT;
        }
        due.set(counter);
    }

    /** What is with the store, or would be next; empty when the store is as it should be, but for what changes. */
    BitSet due() {
        return due;
    }
}
