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

/**
 * The shared store as the ledger knows it. Pure; the ledger's lock guards it.
 *
 * <p><b>Design.</b> Per counter: its value V, what the store holds P (pushed), and, while a push is under way, its goal
 * Q. One request a counter at a time. Q is committed before anything is sent; V may move on meanwhile. Every answer is
 * compared with P and Q: Q means that the push happened, P that it did not.
 *
 * <p><b>Weakness.</b> An answer may never come, and the push may happen all the same, or later. The store may lose the
 * key. Somebody else may write it. A crash forgets what was sent.
 *
 * <p><b>Defence.</b> A key is read before its first push: what is there already is somebody's count from before, and
 * from then on nothing that is found is. (An add that says so itself won't do: when its answer is lost, nobody can tell
 * whose the value is.) What is in doubt is read before anything else is done with it; a crash leaves in doubt exactly what
 * was committed as under way. Anything else than P or Q is a lost item, a late increment or a foreign writer: what was
 * read is P now, and V - P is pushed next. Keys at rest are read again from time to time, which finds the rest.
 */
final class Projection {
    /** Where a counter stands between two steps; not written to the file. */
    private enum Phase {
        /** Nothing under way. */
        IDLE,
        /** A goal was set and is being committed. */
        COMMITTING,
        /** The goal is committed: the push may be sent. */
        CLEARED,
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
    private final BitSet due = new BitSet();
    private final List<Integer> committing = new ArrayList<>();
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

    /** Takes in the next counter, in the order of their numbers. */
    void add(Projected state, long pushedValue, long goal) {
        if (size == states.length) {
            states = Arrays.copyOf(states, 2 * size);
            phases = Arrays.copyOf(phases, 2 * size);
            pushed = Arrays.copyOf(pushed, 2 * size);
            goals = Arrays.copyOf(goals, 2 * size);
        }
        states[size] = state;
        phases[size] = state.isUnderWay() || state == Projected.NEW ? Phase.DOUBT : Phase.IDLE;
        pushed[size] = pushedValue;
        goals[size] = goal;
        due.set(size);
        size++;
    }

    Changes.CounterRow row(int counter, String name, long value) {
        return new Changes.CounterRow(counter, name, value, states[counter], pushed[counter], goals[counter]);
    }

    /** The counter's value has moved. */
    void moved(int counter) {
        if (phases[counter] != Phase.PARKED) {
            due.set(counter);
        }
    }

    /** Sets the goal of every counter that needs a push, and notes it as changed. */
    void setGoals(long[] values, BitSet changed) {
        for (int counter = due.nextSetBit(0); counter >= 0; counter = due.nextSetBit(counter + 1)) {
            if (phases[counter] != Phase.IDLE) {
                continue;
            }
            if (states[counter] == Projected.KNOWN && values[counter] == pushed[counter]) {
                due.clear(counter);
                continue;
            }
            states[counter] = states[counter] == Projected.KNOWN ? Projected.MOVING : Projected.ADDING;
            goals[counter] = values[counter];
            phases[counter] = Phase.COMMITTING;
            committing.add(counter);
            changed.set(counter);
        }
    }

    /** All goals set so far are committed. */
    void committed() {
        for (int counter : committing) {
            phases[counter] = Phase.CLEARED;
        }
        committing.clear();
    }

    /** Takes the requests that may be sent now, up to {@code max}, and up to {@code atRest} reads of keys at rest. */
    List<Push> take(NameTable names, int max, int atRest) {
        List<Push> requests = new ArrayList<>();
        int counter = due.nextSetBit(nextDue);
        for (; counter >= 0 && requests.size() < max; counter = due.nextSetBit(counter + 1)) {
            if (phases[counter] == Phase.DOUBT) {
                requests.add(read(names, counter));
            } else if (phases[counter] == Phase.CLEARED) {
                phases[counter] = Phase.SENT;
                requests.add(
                        states[counter] == Projected.MOVING
                                ? new Push(
                                        counter, names.name(counter), Kind.INCREMENT, goals[counter] - pushed[counter])
                                : new Push(counter, names.name(counter), Kind.ADD, goals[counter]));
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

    private Push read(NameTable names, int counter) {
        phases[counter] = Phase.READING;
        return new Push(counter, names.name(counter), Kind.READ, 0);
    }

    /**
     * Takes the store's answer, and notes the counter as changed if it says something new.
     *
     * @return what the counter's value must grow by: what was found under a key that was never ours
     */
    long settle(Push request, Reply reply, BitSet changed) {
        int counter = request.counter();
        Projected before = states[counter];
        if (before == Projected.KNOWN && reply.equals(new Holds(pushed[counter]))) {
            phases[counter] = Phase.IDLE;
            return 0;
        }
        due.set(counter);
        if (reply instanceof Unknown) {
            if (request.kind() != Kind.READ) {
                doubts.increment();
            }
            phases[counter] = before == Projected.KNOWN ? Phase.IDLE : Phase.DOUBT;
            return 0;
        }
        if (reply instanceof Refused) {
            refused.increment();
            phases[counter] = Phase.PARKED;
            due.clear(counter);
            return 0;
        }
        if (reply instanceof Exists) {
            phases[counter] = Phase.DOUBT;
            return 0;
        }
        changed.set(counter);
        phases[counter] = Phase.IDLE;
        if (reply instanceof Holds holds) {
            return holds(counter, before, holds.value());
        }
        if (before == Projected.KNOWN || before == Projected.MOVING) {
            repaired.increment();
        }
        states[counter] = Projected.MISSING;
        return 0;
    }

    private long holds(int counter, Projected before, long value) {
        states[counter] = Projected.KNOWN;
        long expected = before == Projected.KNOWN ? pushed[counter] : goals[counter];
        boolean notMoved = before == Projected.MOVING && value == pushed[counter];
        pushed[counter] = value;
        if (before == Projected.NEW) {
            adopted.increment();
            return value;
        }
        if (value != expected && !notMoved && before != Projected.MISSING) {
            foreign.increment();
        }
        return 0;
    }

    /** Keys that were never pushed are not to be taken over: what stands there may be this ledger's own, later work. */
    void claimNothing() {
        for (int counter = 0; counter < size; counter++) {
            if (states[counter] == Projected.NEW) {
                states[counter] = Projected.MISSING;
            }
        }
    }

    /** Whether the store, or the disk, has something of this counter that is not answered yet. */
    boolean isBusy(int counter) {
        Phase phase = phases[counter];
        return phase == Phase.COMMITTING || phase == Phase.SENT || phase == Phase.READING;
    }

    /** Whether its key was never looked at. */
    boolean isNew(int counter) {
        return states[counter] == Projected.NEW;
    }

    /** The key is another collector's from now on, or was all along. */
    void lose(int counter) {
        states[counter] = Projected.NEW;
        phases[counter] = Phase.DOUBT;
        pushed[counter] = 0;
        goals[counter] = 0;
        due.clear(counter);
    }

    /** The key may turn out to be another collector's: nothing is done with it. */
    void leave(int counter) {
        due.clear(counter);
    }

    /** The key was another collector's: what stands there is no stranger's count from before. */
    void handed(int counter) {
        if (states[counter] == Projected.NEW) {
            states[counter] = Projected.MISSING;
        }
    }

    /** The key is ours from now on, and looked at before anything else; where it never got to another's, it goes on. */
    void claim(int counter) {
        if (isBusy(counter)) {
            due.set(counter);
            return;
        }
        states[counter] = isNew(counter) ? Projected.NEW : Projected.MISSING;
        phases[counter] = Phase.DOUBT;
        due.set(counter);
    }

    /** How many requests are with the store, or would be next; 0 when the store is as it should be. */
    int unsettled() {
        return due.cardinality();
    }
}
