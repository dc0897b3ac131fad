package io.counters.cells;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Contains the cells of all counters: each thread has a row of longs, one per counter, which only that thread writes.
 *
 * <p><b>Design.</b> A counter is a dense id (see {@link #id}). A platform thread finds its row in two arrays that are
 * never reallocated, at the index that follows from its number. It checks that it owns the row, and adds with a plain
 * store: no atomic instruction, and no cache line that another thread writes. The sweep reads all rows and adds them
 * up. A cell is never reset, so an increment cannot fall between a read and a reset. Cells are signed and net: a
 * decrement lowers the same cell.
 *
 * <p><b>Weakness.</b> Rows take 8 to 16 bytes per counter and living thread that counts (a row doubles when a higher id
 * is used). The row of a dead thread would be lost or would leak, and 100,000 virtual threads must not own 100,000
 * rows. A 32-bit JVM may tear a plain 64-bit store, and a compiler may move the store to the end of a counted loop.
 *
 * <p><b>Defense.</b> When the cells are read, and whenever the number of owners has doubled, the row of every dead
 * thread is folded into shared blocks. Virtual threads add to those blocks directly, by an atomic add on one of {@value
 * CellSource#STRIPES} stripes: {@value CellSource#STRIPES} times 8 bytes per counter. (Measured by {@code
 * CellsMemoryTest}: 200 bytes per counter with its name and block, 13 per counter and living thread with 10,000 counters, 280 per thread that counts a
 * few.) Three other kinds of threads add to the blocks too: threads that find no free place within {@value #PROBES} of
 * their own, which happens when thousands of threads live; all threads of a 32-bit JVM; and threads for whose row there
 * is no memory. A counter's block is allocated before its id is published, so a counter that has an id can always be
 * counted. A place belongs to its thread until that thread has died: if a living thread could lose its place, two
 * threads might write one row. The sum does not depend on where a thread counts, so that may change. A {@code Thread}
 * is referenced until it has died and its row is folded. If a compiler delays a store to the end of a loop, it misses
 * one sweep and is part of a later one.
 *
 * <p><b>One copy per loader, and one bridge.</b> The state is static: each copy of this class has its own cells. There
 * is one copy per application or web application, and the agent's, which is renamed to {@code java.lang.CountersCells}.
 * A copy that is initialized under an agent hands its maps and arrays to the agent's copy with {@link #join}; an agent
 * that is attached later calls {@link #joinBridge} on the copies that it finds. These maps and arrays consist of JDK
 * types only, so they keep no class loader alive. The agent's sweep reads all copies and adds them up by name, so no
 * call site ever has to change.
 *
 * <p><b>No application code is called.</b> A method that a subclass can override may lock, throw or count.
 * {@code Thread.getId} is such a method. {@code threadId} is final but exists only since Java 19; the agent's copy
 * calls it there ({@link #ID_IS_FINAL}). Otherwise {@code getId} is called only if the thread's class is {@code Thread}
 * itself or the JDK's class of virtual threads. Any other thread is given a number, which it keeps in a
 * {@code ThreadLocal} of JDK types; that references no loader and costs 2 to 3 ns. (The identity hash costs the same,
 * but 10 to 25 ns while another thread waits in {@code join} for this one, because the object header then has no room
 * for a hash.)
 *
 * <p>All methods may be called from any thread. The counting methods throw nothing, except a StackOverflowError if the
 * stack has no room for them. The other methods throw only {@link OutOfMemoryError}, and can be called again.
 */
// Threads and arrays are compared by identity, because a subclass could override equals.
@SuppressWarnings("ReferenceEquality")
public final class Cells {
    /** The maximum number of names; counts of further names go to {@value #OVERFLOW}. */
    public static final int COUNTERS_MAX = 100_000;

    /** The counter of all names beyond {@link #COUNTERS_MAX}. */
    public static final String OVERFLOW = "counters.overflow";

    /**
     * Approximately how many Throwables of the counting itself were caught in instrumented code. A field and not a
     * counter, because there may be no stack left for a call.
     */
    public static int suppressed;

    /** The agent's copy of this class, which exists if the agent counts. */
    public static final String BRIDGE = "java.lang.CountersCells";

    private static final int PLACES = 4096;
    private static final int PROBES = 16;

    /** After an OutOfMemoryError, this many counts bypass allocation, because each retry would trigger a GC. */
    private static final int COUNTS_UNTRIED = 10_000;

    private static final ConcurrentHashMap<String, Integer> IDS = new ConcurrentHashMap<>();

    /**
     * The thread that owns the row at the same index of {@link #ROWS}. Also the lock for all changes to both arrays,
     * and for reading another thread's rows. A thread reads its own place without the lock, because no other thread
     * writes it while the owner lives.
     */
    private static final @Nullable Thread[] OWNERS = new Thread[PLACES];

    private static final long[][] ROWS = new long[PLACES][];

    /** Block b contains the ids from b * BLOCK: stripe 0 of all of them, then stripe 1, ... It is never reallocated. */
    private static final AtomicReferenceArray<AtomicLongArray> BLOCKS =
            new AtomicReferenceArray<>(COUNTERS_MAX / CellSource.BLOCK + 2);

    /** This copy's {@link CellSource}, then that of each copy that joined it. */
    private static final CopyOnWriteArrayList<Object[]> SOURCES = new CopyOnWriteArrayList<>();

    /**
     * Whether the agent has replaced {@code getId} by {@code threadId} throughout this class file. It does so in its
     * copy on Java 19 and newer, because a compiler for Java 8 does not know {@code threadId}. The literal here and the
     * name in the call below are the same constant of the class file.
     */
    private static final boolean ID_IS_FINAL = !"getId".equals("get".concat("Id"));

    /** Numbers of threads whose class is a subclass of Thread: see {@link #number}. */
    private static final ThreadLocal<Integer> NUMBERS = new ThreadLocal<>();

    private static final @Nullable Class<?> VIRTUAL = classOfVirtualThreads();
    private static final int JOINS_PER_FOLD = 16;
    private static final boolean TEARS = "32".equals(System.getProperty("sun.arch.data.model"));

    private static boolean kept;
    private static int numbers;
    private static int owners;
    private static int foldAt = 16;
    private static int untried;
    private static int joined;

    static {
        SOURCES.add(CellSource.of(IDS, OWNERS, ROWS, BLOCKS, Cells.class));
        joinBridge();
    }

    private Cells() {}

    /**
     * The dense id of a counter, the same for the same name as long as this class exists.
     *
     * @param name in canonical form, which is not checked here
     */
    public static int id(String name) {
        Integer known = IDS.get(name);
        if (known != null) {
            return known;
        }
        synchronized (IDS) {
            String roomFor = IDS.size() < COUNTERS_MAX || IDS.containsKey(name) ? name : OVERFLOW;
            Integer id = IDS.get(roomFor);
            if (id == null) {
                id = IDS.size();
                CellSource.block(BLOCKS, id);
                IDS.put(roomFor, id);
            }
            return id;
        }
    }

    /** Everything that was counted under an id in this copy of the class so far. */
    public static long sum(int id) {
        return CellSource.sum(SOURCES.get(0), id);
    }

    /** Adds one. */
    public static void increment(int id) {
        add(id, 1);
    }

    /** Subtracts one. */
    public static void decrement(int id) {
        add(id, -1);
    }

    /**
     * Adds an amount of either sign. Every count uses this path, which has no lock and no allocation.
     *
     * <p>{@code bin/bench count} on two shared cores of a recent AMD EPYC, JDK 17 and 25, in ns per call of a method
     * that is otherwise nearly empty, with one and with two threads: not counted 0.6 and 0.6, instrumented 1.2 to 1.5,
     * through a handle 1.4 to 1.6, LongAdder 2.6 to 3.2. Earlier designs on the same machine: an AtomicLongArray as the
     * row, found through a growing table, 2.8; a long[] in that table 2.0; both arrays of constant size 1.2.
     */
    public static void add(int id, long amount) {
        Thread caller = Thread.currentThread();
        int number = number(caller);
        int place = number & (PLACES - 1);
        if (OWNERS[place] == caller) {
            long[] row = ROWS[place];
            if (id + CellSource.APART < row.length) {
                row[id + CellSource.APART] += amount;
                return;
            }
        }
        addSlowly(caller, number, id, amount);
    }

    /**
     * Determines where a thread first looks for its row; among {@value #PLACES} threads, two rarely have the same
     * place.
     */
    private static int number(Thread caller) {
        return ID_IS_FINAL || caller.getClass() == Thread.class || isVirtual(caller)
                ? (int) caller.getId()
                : keptNumber(caller);
    }

    /** Whether it is one of the JDK's virtual threads, whose class cannot be extended outside the JDK. */
    private static boolean isVirtual(Thread caller) {
        return VIRTUAL != null && VIRTUAL.isInstance(caller);
    }

    private static int keptNumber(Thread caller) {
        try {
            Integer kept = NUMBERS.get();
            return kept != null ? kept : freshNumber(caller);
        } catch (OutOfMemoryError full) {
            return System.identityHashCode(caller);
        }
    }

    /**
     * A negative number, because ids are positive; if the thread's locals were cleared, the place where it has its row.
     */
    private static int freshNumber(Thread caller) {
        int number;
        synchronized (OWNERS) {
            int place = 0;
            while (place < PLACES && OWNERS[place] != caller) {
                place++;
            }
            number = place < PLACES ? place : --numbers;
        }
        NUMBERS.set(number);
        return number;
    }

    /**
     * Adds an amount if a Throwable is of one of these classes or of a subclass. Compares names, so that no class is
     * loaded. Instrumented code calls this before it rethrows the Throwable.
     *
     * @param classes names in the form of {@link Class#getName}, each followed by {@code ;}
     */
    public static void addThrown(Throwable thrown, int id, long amount, String classes) {
        for (Class<?> type = thrown.getClass(); type != null; type = type.getSuperclass()) {
            String name = type.getName();
            for (int at = classes.indexOf(name); at >= 0; at = classes.indexOf(name, at + 1)) {
                boolean begins = at == 0 || classes.charAt(at - 1) == ';';
                if (begins && classes.charAt(at + name.length()) == ';') {
                    add(id, amount);
                    return;
                }
            }
        }
    }

    private static void addSlowly(Thread caller, int number, int id, long amount) {
        long[] row = TEARS || isVirtual(caller) ? null : row(caller, number, id);
        if (row != null) {
            row[id + CellSource.APART] += amount;
        } else {
            int stripe = number & (CellSource.STRIPES - 1);
            CellSource.block(BLOCKS, id).getAndAdd(stripe * CellSource.BLOCK + id % CellSource.BLOCK, amount);
        }
    }

    /** The caller's own row, with room for this id; null if there is no free place or no memory. */
    private static long @Nullable [] row(Thread caller, int first, int id) {
        if (untried > 0) {
            untried--;
            return null;
        }
        try {
            int free = -1;
            for (int i = 0; i < PROBES; i++) {
                int place = (first + i) & (PLACES - 1);
                Thread owner = OWNERS[place];
                if (owner == caller) {
                    long[] row = ROWS[place];
                    return id + CellSource.APART < row.length ? row : grown(place, id);
                }
                free = free < 0 && owner == null ? place : free;
            }
            return free >= 0 && enter(caller, free, id) ? ROWS[free] : null;
        } catch (OutOfMemoryError full) {
            untried = COUNTS_UNTRIED;
            return null;
        }
    }

    private static long[] newRow(int id) {
        return new long[CellSource.APART + Integer.highestOneBit(Math.max(id, 8)) * 2];
    }

    private static long[] grown(int place, int id) {
        synchronized (OWNERS) {
            long[] row = ROWS[place];
            long[] grown = newRow(id);
            System.arraycopy(row, 0, grown, 0, row.length);
            ROWS[place] = grown;
            return grown;
        }
    }

    /** Assigns a place and a row to a thread; false if another thread has just taken the place. */
    private static boolean enter(Thread caller, int place, int id) {
        synchronized (OWNERS) {
            if (OWNERS[place] != null) {
                return false;
            }
            if (++owners >= foldAt) {
                owners = CellSource.fold(OWNERS, ROWS, BLOCKS) + 1;
                foldAt = Math.max(16, 2 * owners);
            }
            ROWS[place] = newRow(id);
            OWNERS[place] = caller;
            return true;
        }
    }

    /**
     * The cells to sweep: this copy's, then those of every copy that joined it. First adds the counts of copies whose
     * class was unloaded to this copy.
     */
    public static List<Object[]> sources() {
        for (Object[] source : SOURCES) {
            if (CellSource.copy(source) == null) {
                synchronized (SOURCES) {
                    foldIn(source);
                }
            }
        }
        return SOURCES;
    }

    /**
     * Takes over the counts of an unloaded copy. Everything that needs memory is done first, so this happens completely
     * or not at all.
     */
    private static void foldIn(Object[] source) {
        Map<String, Integer> names = CellSource.names(source);
        long[] sums = new long[names.size()];
        int[] ids = new int[sums.length];
        CellSource.sum(source, sums);
        for (Map.Entry<String, Integer> name : names.entrySet()) {
            if (sums[name.getValue()] != 0) {
                ids[name.getValue()] = id(name.getKey());
            }
        }
        if (SOURCES.remove(source)) {
            for (int i = 0; i < sums.length; i++) {
                if (sums[i] != 0) {
                    add(ids[i], sums[i]);
                }
            }
        }
    }

    /**
     * Lets this copy sweep another copy's cells. Called by reflection, from a copy that finds this one as the bridge.
     * Does nothing if the other copy is from a release with another form: its cells would be misread, or would
     * make every sweep fail. {@link #sweeps} shows whether the copy joined.
     *
     * <p>Every {@value #JOINS_PER_FOLD}th join folds the rows of dead threads, so that these threads, and what they
     * reference, can be collected even if applications come and go faster than sweeps.
     */
    public static void join(Object[] source) {
        if (!CellSource.isOfThisForm(source)) {
            return;
        }
        boolean due;
        synchronized (SOURCES) {
            for (Object[] known : SOURCES) {
                if (CellSource.names(known) == CellSource.names(source)) {
                    return;
                }
            }
            SOURCES.add(source);
            due = ++joined % JOINS_PER_FOLD == 0;
        }
        if (due) {
            letDeadThreadsGo();
        }
    }

    /** Folds the rows of dead threads of all sources. The sums do not change, so a sweep may run at the same time. */
    private static void letDeadThreadsGo() {
        try {
            long[] none = {};
            for (Object[] source : SOURCES) {
                CellSource.sum(source, none);
            }
        } catch (Throwable full) {
            // The copy has joined, so the join must not fail now; the next sweep folds.
            return;
        }
    }

    /** Whether the cells of this class, a copy of this one, are among the {@link #sources}. */
    public static boolean sweeps(Class<?> copy) {
        for (Object[] source : SOURCES) {
            if (CellSource.copy(source) == copy) {
                return true;
            }
        }
        return false;
    }

    /**
     * Folds without adding up, so that dead threads and unloaded copies can be collected in a JVM that sends nothing.
     */
    public static void fold() {
        long[] none = {};
        for (Object[] source : sources()) {
            CellSource.sum(source, none);
        }
    }

    /**
     * Hands this copy's cells to the agent's copy, if there is one and this copy's cells are not {@linkplain #keep
     * kept}.
     *
     * @return whether the agent sweeps them
     */
    public static boolean joinBridge() {
        synchronized (SOURCES) {
            if (kept) {
                return false;
            }
            try {
                Class<?> bridge = Class.forName(BRIDGE, true, null);
                if (bridge == Cells.class) {
                    return false;
                }
                bridge.getMethod("join", Object[].class).invoke(null, (Object) SOURCES.get(0));
                return true;
            } catch (ReflectiveOperationException | RuntimeException | LinkageError noAgent) {
                // Usually there is no agent; a broken one must not prevent this class from loading.
                return false;
            }
        }
    }

    /**
     * Keeps this copy's cells from an agent that comes later, because they are sent without it and each count must be
     * sent only once. Permanent, because an agent would send again what has been sent.
     *
     * @return false if there is an agent already, which sends them
     */
    public static boolean keep() {
        synchronized (SOURCES) {
            kept = !joinBridge();
            return kept;
        }
    }

    private static @Nullable Class<?> classOfVirtualThreads() {
        try {
            return Class.forName("java.lang.BaseVirtualThread", false, null);
        } catch (ClassNotFoundException beforeJava21) {
            return null;
        }
    }
}
