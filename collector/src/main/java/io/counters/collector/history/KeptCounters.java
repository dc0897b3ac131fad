package io.counters.collector.history;

import io.counters.collector.ledger.Snapshot;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which counters are kept: the first {@code max}; after that, a counter that moves replaces one that has not moved for an
 * hour. Each has a slot and is a series of the file. For the writer's thread; what readers use is guarded by Recorder's
 * lock.
 *
 * <p>A counter is found by its number in the ledger, so a tick of a million counters costs one comparison each.
 */
final class KeptCounters {
    static final long RESTS_SECONDS = 3_600;
    private static final int NONE = -1;

    private final int max;
    private final Map<String, Integer> slotByName = new HashMap<>();

    /** By slot; 0 means that the slot is free. */
    private final long[] series;

    private final @Nullable String[] names;
    private final long[] values;
    private final long[] movedAt;
    private final int[] numbers;
    private final Deque<Integer> free = new ArrayDeque<>();
    private int slots;

    /** By the counter's number in the ledger, as {@link #valuesBefore}. */
    private int[] slotOf = new int[0];

    /** Of the last tick. */
    private long[] valuesBefore = new long[0];

    private BitSet before = new BitSet();
    private boolean isFirst = true;

    private long leftOut;

    /** Which counters begin and which cease to be kept with a tick. */
    record Turn(List<String> entering, List<Boolean> moved, List<Integer> numbers, List<Integer> leaving) {}

    /**
     * @param max how many counters may be kept
     * @param restored how many counters the file has
     */
    KeptCounters(int max, int restored) {
        this.max = max;
        int room = Math.max(max, restored);
        series = new long[room];
        names = new String[room];
        values = new long[room];
        movedAt = new long[room];
        numbers = new int[room];
    }

    /** Restores a series of an earlier run. */
    void restore(long id, String name) {
        put(slots++, id, name, NONE);
    }

    /** Restores the value of a series at the last tick of an earlier run. */
    void restoreValue(int slot, long value) {
        values[slot] = value;
    }

    private void put(int slot, long id, String name, int number) {
        series[slot] = id;
        names[slot] = name;
        numbers[slot] = number;
        slotByName.put(name, slot);
    }

    /** Records that a series moved in an earlier run. */
    void moved(int slot, long second) {
        movedAt[slot] = Math.max(movedAt[slot], second);
    }

    /**
     * Reads the values of a tick, and decides which counters are kept.
     *
     * @return the arguments for {@link #leave} and {@link #enter}
     */
    Turn match(long second, Snapshot tick) {
        makeRoom(tick.numbersEnd());
        if (isFirst) {
            find(tick);
        }
        Turn turn = new Turn(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        boolean[] isPresent = new boolean[slots];
        BitSet present = new BitSet(tick.numbersEnd());
        int[] moved = new int[Math.min(max, tick.size())];
        int movedCount = 0;
        long beyond = 0;
        for (int place = 0; place < tick.size(); place++) {
            int number = tick.number(place);
            long value = tick.values()[place];
            int slot = slotOf[number];
            if (slot >= 0) {
                isPresent[slot] = true;
                if (values[slot] != value) {
                    values[slot] = value;
                    movedAt[slot] = second;
                }
            } else if (!isFirst && (!before.get(number) || valuesBefore[number] != value)) {
                if (movedCount < moved.length) {
                    moved[movedCount++] = place;
                } else {
                    beyond++;
                }
            }
            present.set(number);
            valuesBefore[number] = value;
        }
        for (int slot = 0; slot < slots; slot++) {
            if (series[slot] != 0 && !isPresent[slot]) {
                turn.leaving.add(slot);
            }
        }
        int room = max - (slotByName.size() - turn.leaving.size());
        if (room < movedCount) {
            room += giveWay(turn, isPresent, second, movedCount - room, -room);
        }
        for (int i = 0; i < movedCount; i++) {
            if (room > 0) {
                enter(turn, tick, moved[i], true);
                room--;
            } else {
                beyond++;
            }
        }
        if (isFirst) {
            fill(turn, tick, room);
        }
        leftOut = beyond;
        isFirst = false;
        before = present;
        return turn;
    }

    /** It is not known yet which counters move; those that do not will be replaced soon. */
    private void fill(Turn turn, Snapshot tick, int room) {
        int left = room;
        for (int place = 0; place < tick.size() && left > 0; place++) {
            if (slotOf[tick.number(place)] < 0) {
                enter(turn, tick, place, false);
                left--;
            }
        }
    }

    private static void enter(Turn turn, Snapshot tick, int place, boolean hasMoved) {
        turn.entering.add(tick.names()[place]);
        turn.numbers.add(tick.number(place));
        turn.moved.add(hasMoved);
    }

    /**
     * Chooses counters to remove, first those that have not moved for longest; returns how many.
     *
     * @param wanted at most this many are chosen, of those that have not moved for an hour
     * @param surplus this many of them are chosen even if they have moved, because the file has more than may be kept
     */
    private int giveWay(Turn turn, boolean[] isPresent, long second, int wanted, int surplus) {
        List<Integer> kept = new ArrayList<>();
        for (int slot = 0; slot < slots; slot++) {
            if (series[slot] != 0 && isPresent[slot]) {
                kept.add(slot);
            }
        }
        kept.sort((a, b) -> Long.compare(movedAt[a], movedAt[b]));
        int count = 0;
        while (count < Math.min(wanted, kept.size())
                && (count < surplus || Math.abs(second - movedAt[kept.get(count)]) >= RESTS_SECONDS)) {
            turn.leaving.add(kept.get(count++));
        }
        return count;
    }

    private void makeRoom(int end) {
        int length = slotOf.length;
        if (length < end) {
            slotOf = Arrays.copyOf(slotOf, Math.max(end, length + length / 2));
            Arrays.fill(slotOf, length, slotOf.length, NONE);
            valuesBefore = Arrays.copyOf(valuesBefore, slotOf.length);
        }
    }

    /** Finds those of an earlier run by their names. */
    private void find(Snapshot tick) {
        for (int place = 0; place < tick.size(); place++) {
            int slot = slot(tick.names()[place]);
            if (slot >= 0) {
                numbers[slot] = tick.number(place);
                slotOf[numbers[slot]] = slot;
            }
        }
    }

    /** Removes the counters that must leave. */
    void leave(Turn turn) {
        for (int slot : turn.leaving) {
            slotByName.remove(names[slot]);
            if (numbers[slot] >= 0) {
                slotOf[numbers[slot]] = NONE;
            }
            series[slot] = 0;
            names[slot] = null;
            free.push(slot);
        }
    }

    /** Gives slots to the counters that enter; {@code ids} are their series. */
    void enter(Turn turn, long[] ids, long second) {
        for (int i = 0; i < ids.length; i++) {
            int slot = free.isEmpty() ? slots++ : free.pop();
            int number = turn.numbers.get(i);
            put(slot, ids[i], turn.entering.get(i), number);
            slotOf[number] = slot;
            values[slot] = valuesBefore[number];
            movedAt[slot] = turn.moved.get(i) ? second : Long.MIN_VALUE / 2;
        }
    }

    /** All slots are below this number. */
    int slots() {
        return slots;
    }

    int size() {
        return slotByName.size();
    }

    /** The series of a slot; 0 where it is free. */
    long series(int slot) {
        return series[slot];
    }

    /** The value at the last tick. */
    long value(int slot) {
        return values[slot];
    }

    /** The slot of a counter; -1 if it is not kept now. */
    int slot(String name) {
        return slotByName.getOrDefault(name, NONE);
    }

    /** How many counters moved with the last tick and are not kept. */
    long leftOut() {
        return leftOut;
    }
}
