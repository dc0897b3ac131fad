package io.counters.cells;

import java.lang.ref.WeakReference;
import java.util.IdentityHashMap;
import java.util.Iterator;
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
 * <p><b>Design.</b> A counter is a dense id (see {@link #id}). A platform thread finds its own row by its thread id and
 * an identity check, and adds with an ordered store: no atomic instruction, no line of cache that another thread
 * writes. The sweep reads all rows and adds them up; a cell is never reset, so an increment cannot fall between a read
 * and a reset. Cells are signed and net: a decrement lowers the same cell.
 *
 * <p><b>Weakness.</b> Rows cost 8 to 16 bytes per counter and living thread (a row doubles when a higher id comes). A
 * dead thread's row would be lost or leak, and 100,000 virtual threads must not own 100,000 rows.
 *
 * <p><b>Defence.</b> When the cells are read, and whenever the rows have doubled, the row of every dead thread is
 * folded into shared blocks. Virtual threads add to those blocks directly, by an atomic add on one of {@value #STRIPES}
 * stripes: {@value #STRIPES} times 8 bytes a counter, once any virtual thread or dead thread counted it. A
 * {@code Thread} is held while it lives and until its own copy's next fold. Holding it weakly would cost a nanosecond
 * a count.
 *
 * <p><b>One per loader, and one bridge.</b> The state is static: each copy of this class (the application's, another
 * web application's, and the agent's, which is renamed to {@code java.lang.CountersCells}) has cells of its own. A copy
 * that is initialised under an agent hands its maps and arrays to the agent's copy with {@link #join}; an agent that
 * comes later calls {@link #joinBridge} on the copies it finds. What is handed over is made of JDK types only: it keeps
 * no class loader alive. The agent's sweep reads all of them and adds up by name, so that no call site ever changes.
 *
 * <p>All methods may be called from any thread. None throws, but for {@link OutOfMemoryError}.
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
    private static final int STRIPES = 8;
    private static final int BLOCK = 256;

    private static final ConcurrentHashMap<String, Integer> IDS = new ConcurrentHashMap<>();

    /** The row of every platform thread that counted here; the lock of all changes to rows, and of reading them. */
    private static final IdentityHashMap<Thread, AtomicLongArray> ROWS = new IdentityHashMap<>();

    /** Block b holds the ids from b * BLOCK: stripe 0 of all of them, then stripe 1, ... A block never moves. */
    private static final AtomicReferenceArray<AtomicLongArray> BLOCKS =
            new AtomicReferenceArray<>(COUNTERS_MAX / BLOCK + 2);

    /** {IDS, ROWS, BLOCKS, weak reference to the copy's class} of this copy, then of those that joined it. */
    private static final CopyOnWriteArrayList<Object[]> SOURCES = new CopyOnWriteArrayList<>();

    private static final @Nullable Class<?> VIRTUAL = classOfVirtualThreads();

    /** Open addressing by thread id, at most a quarter full, replaced as a whole. */
    private static volatile @Nullable Cells[] table = new Cells[16];

    private static boolean kept;
    private static int registered;
    private static int foldAt = 16;

    static {
        SOURCES.add(new Object[] {IDS, ROWS, BLOCKS, new WeakReference<Class<?>>(Cells.class)});
        joinBridge();
    }

    private final Thread owner;

    /** Read and written by the owner only. */
    private AtomicLongArray row;

    private Cells(Thread owner, AtomicLongArray row) {
        this.owner = owner;
        this.row = row;
    }

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
     * <p>{@code CountBenchmark} on two shared cores, JDK 17, ns a count at one and at two threads: through a handle 3.9
     * and 3.4, adding to a plain field 2.1 and 3.2, LongAdder 3.0 and 3.3, found by name in a map first 4.0 and 6.5.
     */
    public static void add(int id, long amount) {
        Thread caller = Thread.currentThread();
        Cells[] slots = table;
        int mask = slots.length - 1;
        for (int i = (int) caller.getId() & mask; ; i = (i + 1) & mask) {
            Cells mine = slots[i];
            if (mine == null) {
                break;
            }
            if (mine.owner == caller) {
                AtomicLongArray row = mine.row;
                if (id >= row.length()) {
                    break;
                }
                row.lazySet(id, row.get(id) + amount);
                return;
            }
        }
        addSlowly(caller, id, amount);
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

    private static void addSlowly(Thread caller, int id, long amount) {
        if (VIRTUAL != null && VIRTUAL.isInstance(caller)) {
            int stripe = (int) caller.getId() & (STRIPES - 1);
            block(BLOCKS, id).getAndAdd(stripe * BLOCK + id % BLOCK, amount);
            return;
        }
        synchronized (ROWS) {
            AtomicLongArray row = ROWS.get(caller);
            if (row == null || row.length() <= id) {
                AtomicLongArray grown = new AtomicLongArray(Integer.highestOneBit(Math.max(id, 8)) * 2);
                for (int i = 0; row != null && i < row.length(); i++) {
                    grown.lazySet(i, row.get(i));
                }
                ROWS.put(caller, grown);
                if (row == null) {
                    enter(new Cells(caller, grown));
                } else {
                    entered(caller, row).row = grown;
                }
                row = grown;
            }
            // Also the way of a thread whose getId() changes, which the table may not find.
            row.lazySet(id, row.get(id) + amount);
        }
    }

    /** The one entry of a thread that has a row, wherever its getId() of that moment put it. */
    private static Cells entered(Thread caller, AtomicLongArray row) {
        Cells[] slots = table;
        int mask = slots.length - 1;
        int first = (int) caller.getId();
        for (int i = 0; i < slots.length; i++) {
            Cells there = slots[(first + i) & mask];
            if (there != null && there.owner == caller) {
                return there;
            }
        }
        return new Cells(caller, row);
    }

    /** Puts the cells of a thread that has none yet into the table; called with the lock of ROWS. */
    private static void enter(Cells entrant) {
        boolean folded = false;
        if (ROWS.size() >= foldAt) {
            folded = fold(ROWS, BLOCKS);
            foldAt = Math.max(16, 2 * ROWS.size());
        }
        Cells[] slots = folded || 4 * (registered + 1) > table.length ? tableOfTheLiving() : table;
        put(slots, entrant);
        table = slots;
    }

    /** A table without those who have no row any more: an entry holds a thread, and that its application's loader. */
    private static Cells[] tableOfTheLiving() {
        Cells[] slots = new Cells[Math.max(16, Integer.highestOneBit(4 * ROWS.size()) * 2)];
        registered = 0;
        for (Cells old : table) {
            if (old != null && ROWS.containsKey(old.owner)) {
                put(slots, old);
            }
        }
        return slots;
    }

    private static void forgetTheDead() {
        synchronized (ROWS) {
            table = tableOfTheLiving();
        }
    }

    private static void put(@Nullable Cells[] slots, Cells cells) {
        int mask = slots.length - 1;
        int i = (int) cells.owner.getId() & mask;
        while (slots[i] != null) {
            i = (i + 1) & mask;
        }
        slots[i] = cells;
        registered++;
    }

    /** Moves the rows of the dead into blocks; returns whether there were any. */
    private static boolean fold(Map<Thread, AtomicLongArray> rows, AtomicReferenceArray<AtomicLongArray> blocks) {
        int before = rows.size();
        for (Iterator<Map.Entry<Thread, AtomicLongArray>> i = rows.entrySet().iterator(); i.hasNext(); ) {
            Map.Entry<Thread, AtomicLongArray> entry = i.next();
            if (!entry.getKey().isAlive()) {
                AtomicLongArray row = entry.getValue();
                for (int id = 0; id < row.length(); id++) {
                    if (row.get(id) != 0) {
                        block(blocks, id).getAndAdd(id % BLOCK, row.get(id));
                    }
                }
                i.remove();
            }
        }
        return rows.size() < before;
    }

    private static AtomicLongArray block(AtomicReferenceArray<AtomicLongArray> blocks, int id) {
        AtomicLongArray block = blocks.get(id / BLOCK);
        if (block == null) {
            blocks.compareAndSet(id / BLOCK, null, new AtomicLongArray(STRIPES * BLOCK));
            block = blocks.get(id / BLOCK);
        }
        return block;
    }

    /**
     * The cells to sweep: this copy's first, then those of every copy that joined it. Folds in the cells of copies
     * whose class was unloaded. For the one sweeping thread.
     */
    public static List<Object[]> sources() {
        for (Object[] source : SOURCES) {
            if (((WeakReference<?>) source[3]).get() == null) {
                SOURCES.remove(source);
                long[] sums = new long[names(source).size()];
                sum(source, sums);
                for (Map.Entry<String, Integer> name : names(source).entrySet()) {
                    if (name.getValue() < sums.length && sums[name.getValue()] != 0) {
                        add(id(name.getKey()), sums[name.getValue()]);
                    }
                }
            }
        }
        return SOURCES;
    }

    /** The ids of one of {@link #sources}, by name: dense from 0, only ever added to. */
    @SuppressWarnings("unchecked")
    public static Map<String, Integer> names(Object[] source) {
        return (Map<String, Integer>) source[0];
    }

    /** Adds, to each element of {@code sums}, all that was ever counted under the id that is its index. */
    @SuppressWarnings("unchecked")
    public static void sum(Object[] source, long[] sums) {
        Map<Thread, AtomicLongArray> rows = (Map<Thread, AtomicLongArray>) source[1];
        AtomicReferenceArray<AtomicLongArray> blocks = (AtomicReferenceArray<AtomicLongArray>) source[2];
        synchronized (rows) {
            if (fold(rows, blocks) && rows == ROWS) {
                forgetTheDead();
            }
            for (AtomicLongArray row : rows.values()) {
                for (int id = Math.min(row.length(), sums.length) - 1; id >= 0; id--) {
                    sums[id] += row.get(id);
                }
            }
            // Under the same lock: a thread that ended after its row was read must not be found in a block again.
            for (int b = 0; b < blocks.length() && b * BLOCK < sums.length; b++) {
                AtomicLongArray block = blocks.get(b);
                int ids = block == null ? 0 : Math.min(BLOCK, sums.length - b * BLOCK);
                for (int i = 0; i < ids; i++) {
                    for (int stripe = 0; stripe < STRIPES; stripe++) {
                        sums[b * BLOCK + i] += block.get(stripe * BLOCK + i);
                    }
                }
            }
        }
    }

    /** Lets this copy sweep another's cells; called by reflection, from a copy that finds this one as the bridge. */
    public static void join(Object[] source) {
        synchronized (SOURCES) {
            for (Object[] known : SOURCES) {
                if (known[0] == source[0]) {
                    return;
                }
            }
            SOURCES.add(source);
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
