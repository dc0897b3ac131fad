package io.counters.collector.history;

import io.counters.collector.ledger.Snapshot;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
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
 * <p>A tick has all counters in the ledger's order, which seldom changes: so a counter is found by its place, and a tick of
 * a million counters costs one comparison for each.
 */
final class Roster {
    static final long RESTS_SECONDS = 3_600;
    private static final int NONE = -1;
    private static final int[] NO_SLOTS = {};
    private static final String[] NO_NAMES = {};
    private static final long[] NO_VALUES = {};

    private final int max;
    private final Map<String, Integer> slotByName = new HashMap<>();

    /** By slot; 0 means that the slot is free. */
    private final long[] series;

    private final @Nullable String[] names;
    private final long[] values;
    private final long[] movedAt;
    private final Deque<Integer> free = new ArrayDeque<>();
    private int slots;

    /** By place in the last tick. */
    private int[] slotAt = NO_SLOTS;

    private String[] namesBefore = NO_NAMES;
    private long[] valuesBefore = NO_VALUES;
    private int sizeBefore;
    private boolean isFirst = true;

    private long leftOut;

    /** Which counters begin and which cease to be kept with a tick. */
    record Turn(List<String> entering, List<Boolean> moved, List<Integer> places, List<Integer> leaving) {}

    /**
     * @param max how many counters may be kept
     * @param restored how many counters the file has
     */
    Roster(int max, int restored) {
        this.max = max;
        int room = Math.max(max, restored);
        series = new long[room];
        names = new String[room];
        values = new long[room];
        movedAt = new long[room];
    }

    /** Restores a series of an earlier run. */
    void restore(long id, String name) {
        put(slots++, id, name);
    }

    private void put(int slot, long id, String name) {
        series[slot] = id;
        names[slot] = name;
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
        if (isFirst || !isInOrder(tick)) {
            putInOrder(tick);
        }
        Turn turn = new Turn(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        boolean[] isPresent = new boolean[slots];
        int[] moved = new int[Math.min(max, tick.size())];
        int movedCount = 0;
        long beyond = 0;
        if (slotAt.length < tick.size()) {
            int length = slotAt.length;
            slotAt = Arrays.copyOf(slotAt, tick.names().length);
            Arrays.fill(slotAt, length, slotAt.length, NONE);
        }
        long[] now = tick.values();
        for (int place = 0; place < tick.size(); place++) {
            int slot = slotAt[place];
            if (slot >= 0) {
                isPresent[slot] = true;
                if (values[slot] != now[place]) {
                    values[slot] = now[place];
                    movedAt[slot] = second;
                }
            } else if (!isFirst && (place >= sizeBefore || valuesBefore[place] != now[place])) {
                if (movedCount < moved.length) {
                    moved[movedCount++] = place;
                } else {
                    beyond++;
                }
            }
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
            // It is not known yet which counters move; those that do not will be replaced soon.
            for (int place = 0; place < tick.size() && room > 0; place++) {
                if (slotAt[place] < 0) {
                    enter(turn, tick, place, false);
                    room--;
                }
            }
        }
        leftOut = beyond;
        isFirst = false;
        namesBefore = tick.names();
        valuesBefore = now;
        sizeBefore = tick.size();
        return turn;
    }

    private static void enter(Turn turn, Snapshot tick, int place, boolean hasMoved) {
        turn.entering.add(tick.names()[place]);
        turn.places.add(place);
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

    /** Whether each counter has the same place as before. */
    @SuppressWarnings("ReferenceEquality") // The ledger keeps one string for each counter.
    private boolean isInOrder(Snapshot tick) {
        if (tick.size() < sizeBefore) {
            return false;
        }
        String[] now = tick.names();
        if (now == namesBefore) {
            return true;
        }
        for (int place = 0; place < sizeBefore; place++) {
            if (now[place] != namesBefore[place]) {
                return false;
            }
        }
        return true;
    }

    /** Finds all counters by their names. A counter that is not kept counts as not moved. */
    private void putInOrder(Snapshot tick) {
        slotAt = new int[tick.names().length];
        Arrays.fill(slotAt, NONE);
        for (int place = 0; place < tick.size(); place++) {
            slotAt[place] = slotByName.getOrDefault(tick.names()[place], NONE);
        }
        valuesBefore = tick.values();
        sizeBefore = tick.size();
    }

    /** Removes the counters that must leave. */
    void leave(Turn turn) {
        for (int slot : turn.leaving) {
            slotByName.remove(names[slot]);
            series[slot] = 0;
            names[slot] = null;
            free.push(slot);
        }
        if (!turn.leaving.isEmpty()) {
            for (int place = 0; place < slotAt.length; place++) {
                if (slotAt[place] >= 0 && series[slotAt[place]] == 0) {
                    slotAt[place] = NONE;
                }
            }
        }
    }

    /** Gives slots to the counters that enter; {@code ids} are their series. */
    void enter(Turn turn, long[] ids, long second) {
        for (int i = 0; i < ids.length; i++) {
            int slot = free.isEmpty() ? slots++ : free.pop();
            int place = turn.places.get(i);
            put(slot, ids[i], turn.entering.get(i));
            slotAt[place] = slot;
            values[slot] = valuesBefore[place];
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
