package io.counters.cells;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The cells that counts go into: for each thread a row of longs, one per counter, which only that thread writes.
 *
 * <p><b>Design.</b> A counter is a dense id (see {@link #id}). A platform thread finds its own row in two arrays that
 * never move, at the place its number gives, checks that it is the owner, and adds with a plain store: no atomic
 * instruction, no line of cache that another thread writes. The sweep reads all rows and adds them up; a cell is never
 * reset, so an increment cannot fall between a read and a reset. Cells are signed and net: a decrement lowers the same
 * cell.
 *
 * <p><b>Weakness.</b> Rows cost 8 to 16 bytes per counter and living thread that counts (a row doubles when a higher id
 * comes). A dead thread's row would be lost or leak, and 100,000 virtual threads must not own 100,000 rows. A plain
 * store of 64 bits may be torn by a JVM of 32 bits, and a compiler may move it to the end of a counted loop.
 *
 * <p><b>Defence.</b> When the cells are read, and whenever the owners have doubled, the row of every dead thread is
 * folded into shared blocks. Virtual threads add to those blocks directly, by an atomic add on one of {@value #STRIPES}
 * stripes: {@value #STRIPES} times 8 bytes a counter. (Measured by {@code CellsMemoryTest}: 200 bytes a counter with
 * its name and block, 13 a counter and living thread at 10,000 counters, 280 a thread that counts a few.) So do threads that find no place within {@value #PROBES} of their
 * own, as happens when thousands live, all threads of a 32-bit JVM, and threads for whose row there is no memory: a
 * counter's block is there before its id is, so what has an id can always be counted.
 * A place belongs to its thread until that has died: if a living thread could lose it, both might write one row. Where
 * a thread counts does not matter to the sum, so it may change. A {@code Thread} is held while it lives and until its
 * row is folded. A store that waits for the end of a loop is late for a sweep and in time for a later one.
 *
 * <p><b>One per loader, and one bridge.</b> The state is static: each copy of this class (the application's, another
 * web application's, and the agent's, which is renamed to {@code java.lang.CountersCells}) has cells of its own. A copy
 * that is initialised under an agent hands its maps and arrays to the agent's copy with {@link #join}; an agent that
 * comes later calls {@link #joinBridge} on the copies it finds. What is handed over is made of JDK types only: it keeps
 * no class loader alive. The agent's sweep reads all of them and adds up by name, so that no call site ever changes.
 *
 * <p><b>Nothing of the application's is called.</b> Any method that a subclass can override may lock, throw or count.
 * {@code Thread.getId} is one, and {@code threadId}, which is final, came with Java 19: the agent's copy calls that where it can
 * ({@link #ID_IS_FINAL}). Elsewhere a thread is asked for its id if it is a {@code Thread} or a virtual one and of no
 * other subclass; any other is given a number, and keeps it in a {@code ThreadLocal} of JDK types, which holds no loader
 * and costs 2 to 3 ns. (Its identity hash costs as much, and 10 to 25 ns where another
 * thread waits in {@code join} for it: then its header has no room for a hash.)
 *
 * <p>All methods may be called from any thread. What counts throws nothing, unless it is called at the very end of a
 * stack; the others throw no more than {@link OutOfMemoryError}, and can be called again.
 */
// A thread and an array are what they are, whatever a subclass's equals says.
@SuppressWarnings("ReferenceEquality")
public final class Cells {
    /** Names beyond this many are counted together, as {@value #OVERFLOW}. */
    public static final int COUNTERS_MAX = 100_000;

    /** The counter that takes what has no room of its own. */
    public static final String OVERFLOW = "counters.overflow";

    /**
     * How many Throwables of the counting itself woven code kept from the application, about: a field and not a
     * counter, as there may be no stack left for a call.
     */
    public static int suppressed;

    private static final String BRIDGE = "java.lang.CountersCells";
    private static final int PLACES = 4096;
    private static final int PROBES = 16;

    /** So many longs at a row's begin stay 0: collectors put rows side by side, and no two may share a line of cache. */
    public static final int APART = 16;

    private static final int STRIPES = 8;
    private static final int BLOCK = 256;

    /** After a row found no memory so many counts go to the blocks untried: each try would have the heap collected. */
    private static final int COUNTS_UNTRIED = 10_000;

    private static final ConcurrentHashMap<String, Integer> IDS = new ConcurrentHashMap<>();

    /**
     * Which thread owns the row at the same place in {@link #ROWS}; the lock of all changes to either, and of reading
     * them from another thread. A thread sees its own place without a lock, as nobody else writes it while it lives.
     */
    private static final @Nullable Thread[] OWNERS = new Thread[PLACES];

    private static final long[][] ROWS = new long[PLACES][];

    /** Block b holds the ids from b * BLOCK: stripe 0 of all of them, then stripe 1, ... A block never moves. */
    private static final AtomicReferenceArray<AtomicLongArray> BLOCKS =
            new AtomicReferenceArray<>(COUNTERS_MAX / BLOCK + 2);

    /** Of what {@link #SOURCES} hold: to be changed with the order, the type or the meaning of any of it. */
    private static final Integer FORM = 1;

    /** {IDS, OWNERS, ROWS, BLOCKS, weak reference to the copy's class, FORM} of this copy, then of those that joined. */
    private static final CopyOnWriteArrayList<Object[]> SOURCES = new CopyOnWriteArrayList<>();

    /**
     * Whether {@code getId}, wherever it stands in this class file, was replaced by {@code threadId}, as the agent does in
     * its copy on Java 19 and newer: no compiler for Java 8 knows it. The literal and the call below are one constant.
     */
    private static final boolean ID_IS_FINAL = !"getId".equals("get".concat("Id"));

    /** Of threads that are of a subclass: see {@link #number}. */
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
        SOURCES.add(new Object[] {IDS, OWNERS, ROWS, BLOCKS, new WeakReference<Class<?>>(Cells.class), FORM});
        joinBridge();
    }

    private Cells() {}

    /**
     * The dense id of a counter, the same for the same name as long as this class lives.
     *
     * @param name in canonical form; not checked here
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
                block(BLOCKS, id);
                IDS.put(roomFor, id);
            }
            return id;
        }
    }

    /** Counts one. */
    public static void increment(int id) {
        add(id, 1);
    }

    /** Takes one off. */
    public static void decrement(int id) {
        add(id, -1);
    }

    /**
     * Adds an amount of either sign; the hot path of everything, without a lock or an allocation.
     *
     * <p>{@code bin/bench count} on two shared cores of a recent AMD EPYC, JDK 17 and 25, ns a call of a method that is
     * otherwise nearly empty, at one and at two threads: not counted 0.6 and 0.6, woven 1.2 to 1.5, through a handle 1.4
     * to 1.6, LongAdder 2.6 to 3.2. What was tried before, on the same machine: a row of AtomicLongArray found through a
     * table that grows 2.8, a long[] there 2.0, both arrays of constant size 1.2.
     */
    public static void add(int id, long amount) {
        Thread caller = Thread.currentThread();
        int number = number(caller);
        int place = number & (PLACES - 1);
        if (OWNERS[place] == caller) {
            long[] row = ROWS[place];
            if (id + APART < row.length) {
                row[id + APART] += amount;
                return;
            }
        }
        addSlowly(caller, number, id, amount);
    }

    /** Where a thread looks for its row first: of the first {@value #PLACES} threads hardly two are given the same. */
    private static int number(Thread caller) {
        return ID_IS_FINAL || caller.getClass() == Thread.class || isVirtual(caller)
                ? (int) caller.getId()
                : keptNumber(caller);
    }

    /** Whether it is one of the JDK's virtual threads, whose class nobody else can extend. */
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

    /** From -1 downwards, as ids go up from 1; the old one where something has cleared the thread's locals. */
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
     * Adds an amount if a Throwable is of one of these classes or of a subclass. By name, so that no class is loaded
     * for it; for woven code, on its way out.
     *
     * @param classes names as {@link Class#getName} gives them, each followed by {@code ;}
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
            row[id + APART] += amount;
        } else {
            int stripe = number & (STRIPES - 1);
            block(BLOCKS, id).getAndAdd(stripe * BLOCK + id % BLOCK, amount);
        }
    }

    /** The caller's own row, with room for this id; null where there is no place or no memory for one. */
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
                    return id + APART < row.length ? row : grown(place, id);
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
        return new long[APART + Integer.highestOneBit(Math.max(id, 8)) * 2];
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

    /** Gives a thread a place and a row, unless another was quicker. */
    private static boolean enter(Thread caller, int place, int id) {
        synchronized (OWNERS) {
            if (OWNERS[place] != null) {
                return false;
            }
            if (++owners >= foldAt) {
                owners = fold(OWNERS, ROWS, BLOCKS) + 1;
                foldAt = Math.max(16, 2 * owners);
            }
            ROWS[place] = newRow(id);
            OWNERS[place] = caller;
            return true;
        }
    }

    /** Moves the rows of the dead into blocks; returns how many owners live. */
    private static int fold(@Nullable Thread[] owners, long[][] rows, AtomicReferenceArray<AtomicLongArray> blocks) {
        int living = 0;
        for (int place = 0; place < owners.length; place++) {
            Thread owner = owners[place];
            if (owner != null && owner.isAlive()) {
                living++;
            } else if (owner != null) {
                long[] row = rows[place];
                for (int id = 0; id < row.length - APART; id++) {
                    if (row[id + APART] != 0) {
                        block(blocks, id).getAndAdd(id % BLOCK, row[id + APART]);
                        // At once: where a stack ends in the middle of this, what was moved must not be moved again.
                        row[id + APART] = 0;
                    }
                }
                owners[place] = null;
                rows[place] = null;
            }
        }
        return living;
    }

    private static AtomicLongArray block(AtomicReferenceArray<AtomicLongArray> blocks, int id) {
        AtomicLongArray block = blocks.get(id / BLOCK);
        if (block == null) {
            AtomicLongArray fresh = new AtomicLongArray(STRIPES * BLOCK);
            // The first add of all links a VarHandle, which takes memory: now, not when there may be none.
            fresh.getAndAdd(0, 0);
            blocks.compareAndSet(id / BLOCK, null, fresh);
            block = blocks.get(id / BLOCK);
        }
        return block;
    }

    /**
     * The cells to sweep: this copy's first, then those of every copy that joined it. Folds in the cells of copies
     * whose class was unloaded.
     */
    public static List<Object[]> sources() {
        for (Object[] source : SOURCES) {
            if (((WeakReference<?>) source[4]).get() == null) {
                synchronized (SOURCES) {
                    foldIn(source);
                }
            }
        }
        return SOURCES;
    }

    /** Takes over what a copy counted that is no more. All that needs memory comes first: it is done in whole or not. */
    private static void foldIn(Object[] source) {
        Map<String, Integer> names = names(source);
        long[] sums = new long[names.size()];
        int[] ids = new int[sums.length];
        sum(source, sums);
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
     * A source that is no copy's: for whoever counts in a row of his own and sweeps it himself, as a simulation does.
     *
     * @param ids as {@link #names} gives them
     * @param row the count of each id, behind {@value #APART} longs that are not read
     */
    public static Object[] source(Map<String, Integer> ids, long[] row) {
        return new Object[] {
            ids,
            new Thread[0],
            new long[][] {row},
            new AtomicReferenceArray<AtomicLongArray>(0),
            new WeakReference<Class<?>>(Cells.class),
            FORM
        };
    }

    /**
     * All cells that can be known here, each once: {@link #sources}, and those that an agent sweeps. For whoever wants to
     * read what was counted, and sends nothing.
     */
    @SuppressWarnings("unchecked")
    public static List<Object[]> sourcesOfJvm() {
        List<Object[]> all = new ArrayList<>(sources());
        try {
            Class<?> bridge = Class.forName(BRIDGE, true, null);
            all.addAll((List<Object[]>) bridge.getMethod("sources").invoke(null));
        } catch (ReflectiveOperationException noAgent) {
            return all;
        }
        // This copy's cells have joined the bridge, unless they are kept from it.
        IdentityHashMap<Object, Object[]> once = new IdentityHashMap<>();
        for (Object[] source : all) {
            once.put(source[0], source);
        }
        return new ArrayList<>(once.values());
    }

    /** The ids of one of {@link #sources}, by name: dense from 0, only ever added to. */
    @SuppressWarnings("unchecked")
    public static Map<String, Integer> names(Object[] source) {
        return (Map<String, Integer>) source[0];
    }

    /** The sum of two counts, or the end of the range where it leaves 64 bits. */
    public static long sum(long a, long b) {
        long sum = a + b;
        return ((a ^ sum) & (b ^ sum)) >= 0 ? sum : b < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }

    /** Adds, to each element of {@code sums}, all that was ever counted under the id that is its index. */
    @SuppressWarnings("unchecked")
    public static void sum(Object[] source, long[] sums) {
        Thread[] owners = (Thread[]) source[1];
        long[][] rows = (long[][]) source[2];
        AtomicReferenceArray<AtomicLongArray> blocks = (AtomicReferenceArray<AtomicLongArray>) source[3];
        synchronized (owners) {
            fold(owners, rows, blocks);
            for (long[] row : rows) {
                for (int id = row == null ? -1 : Math.min(row.length - APART, sums.length) - 1; id >= 0; id--) {
                    sums[id] = sum(sums[id], row[id + APART]);
                }
            }
            // Under the same lock: a thread that ended after its row was read must not be found in a block again.
            for (int b = 0; b < blocks.length() && b * BLOCK < sums.length; b++) {
                AtomicLongArray block = blocks.get(b);
                int ids = block == null ? 0 : Math.min(BLOCK, sums.length - b * BLOCK);
                for (int i = 0; i < ids; i++) {
                    for (int stripe = 0; stripe < STRIPES; stripe++) {
                        sums[b * BLOCK + i] = sum(sums[b * BLOCK + i], block.get(stripe * BLOCK + i));
                    }
                }
            }
        }
    }

    /**
     * Lets this copy sweep another's cells; called by reflection, from a copy that finds this one as the bridge. Does
     * nothing where the other is of a release that writes its cells in another form: read by this one's rules they
     * would give wrong sums, or none at all of anybody's. Whoever cares asks {@link #sweeps}.
     *
     * <p>Where applications come and go faster than sweeps, every {@value #JOINS_PER_FOLD}th that joins lets the dead
     * threads of the others go, and with them what these threads hold.
     */
    public static void join(Object[] source) {
        if (source.length != 6 || !FORM.equals(source[5])) {
            return;
        }
        boolean due;
        synchronized (SOURCES) {
            for (Object[] known : SOURCES) {
                if (known[0] == source[0]) {
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

    /** Of all sources, and leaves these as they are: what is counted is no other for who sweeps at the same time. */
    private static void letDeadThreadsGo() {
        try {
            long[] none = {};
            for (Object[] source : SOURCES) {
                sum(source, none);
            }
        } catch (Throwable full) {
            // The copy has joined, and must not be told otherwise; the next sweep does it.
            return;
        }
    }

    /** Whether the cells of this class, a copy of this one, are among the {@link #sources}. */
    public static boolean sweeps(Class<?> copy) {
        for (Object[] source : SOURCES) {
            if (((WeakReference<?>) source[4]).get() == copy) {
                return true;
            }
        }
        return false;
    }

    /** Adds up nothing, but folds, so that neither dead threads nor unloaded copies are held where nobody sends. */
    public static void fold() {
        long[] none = {};
        for (Object[] source : sources()) {
            sum(source, none);
        }
    }

    /**
     * Hands this copy's cells to the agent's copy, if there is one and nobody {@linkplain #keep keeps} them.
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
                // Mostly because there is none; a broken one must not keep this class from loading.
                return false;
            }
        }
    }

    /**
     * Keeps this copy's cells from an agent that comes later, as somebody here sends them: each count must leave by one
     * door. For good, as an agent would send again what has been sent.
     *
     * @return false when there is an agent already, and it sends them
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
