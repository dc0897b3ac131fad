package io.counters.agent.weave;

import java.lang.instrument.ClassFileTransformer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/**
 * Sees every class that the JVM loads, and weaves those that count. Called on the application's threads, several at a
 * time; never throws. What a class without marks needs is all in this class, {@link Rules} and {@link ConstantPool},
 * unless {@code inherit} or a rule with {@code +} asks for its {@link Hierarchy}.
 */
public final class Weaving implements ClassFileTransformer {
    /** The agent's own; in unit tests, where the application's loader loads us, none. */
    @SuppressWarnings("ReferenceEquality") // A loader is itself.
    private final @Nullable ClassLoader ownLoader = Weaving.class.getClassLoader() == ClassLoader.getSystemClassLoader()
            ? null
            : Weaving.class.getClassLoader();

    /** The newest class files that our ASM says it knows; what newer ones have that is new is rarely in their code. */
    private static final int NEWEST = Opcodes.V27;

    private static final int MAJOR = 6;

    private static final byte[][] CELLS = {Reaches.BRIDGE.getBytes(StandardCharsets.UTF_8)};
    private static final String CELLS_NAME = "/cells/Cells";

    private final Names names;
    private final BooleanSupplier counting;
    private final ToIntFunction<String> ids;
    private final Consumer<String> log;
    private final Refusals refusals;
    private final AtomicLong scanned = new AtomicLong();
    private final AtomicLong suppressed = new AtomicLong();
    private @Nullable Reaches reaches;
    private volatile @Nullable Hierarchy hierarchy;

    /** How many methods count, by class. By name, which holds no loader: a redeployed class has the same one. */
    private final Map<String, Integer> woven = new ConcurrentHashMap<>();

    private volatile Rules rules;
    private volatile boolean on = true;

    /**
     * @param counting begins counting at the first hit; false when nothing can be counted
     * @param ids gives the id of a name in the bridge; called once counting has begun
     * @param log takes one line at a time, from any thread
     */
    public Weaving(
            Rules rules, Names names, BooleanSupplier counting, ToIntFunction<String> ids, Consumer<String> log) {
        this.rules = rules;
        this.names = names;
        this.counting = counting;
        this.ids = ids;
        this.log = log;
        this.refusals = new Refusals(log);
    }

    /** Loads what scanning needs: once installed, loading it would call the transformer that needs it. */
    public void preload() {
        // Where many threads load classes at once the maps here need the first, and Java 8 deadlocks over the second.
        ThreadLocalRandom.current();
        FileSystems.getDefault();
        boolean none = isOfInterest(null, "java/") || ConstantPool.mentions(rules.needles(), new byte[10]);
        if (none || Origin.isOfTheImage("", null) || Origin.isGenerated("")) {
            throw new IllegalStateException("nothing is a hit");
        }
        if (rules.needHierarchy()) {
            // A class of the JDK, and one from a jar.
            hierarchy().find(null, "java/lang/Object");
            hierarchy().find(ClassLoader.getSystemClassLoader(), "io/counters/agent/Premain");
        }
    }

    /**
     * Changes what is woven from now on; classes that are loaded stay as they are until they are retransformed.
     *
     * @param on false weaves nothing, so that a retransformed class is what it was
     */
    public synchronized void change(Rules rules, boolean on) {
        this.rules = rules;
        this.hierarchy = null;
        this.on = on;
    }

    /** The rules in force. */
    public Rules rules() {
        return rules;
    }

    /** Whether classes are woven at present. */
    public boolean isOn() {
        return on;
    }

    /** Whether a class of this name, which has slashes, counts. */
    public boolean isWoven(String name) {
        return woven.containsKey(name);
    }

    @Override
    public byte @Nullable [] transform(
            @Nullable ClassLoader loader,
            @Nullable String name,
            @Nullable Class<?> redefined,
            @Nullable ProtectionDomain domain,
            byte[] bytes) {
        try {
            if (name != null && redefined != null) {
                woven.remove(name);
            }
            if (name == null
                    || !isOfInterest(loader, name)
                    || (Origin.isOfTheImage(name, domain) && !rules.nameExactly(name))) {
                return null;
            }
            scanned.incrementAndGet();
            return isHit(loader, name, bytes) ? weave(loader, name, bytes) : null;
        } catch (Throwable fault) {
            suppress(name, fault);
            return null;
        }
    }

    /** Whether a class may count at all, or is the API; by its name, which has slashes, and its loader. */
    @SuppressWarnings("ReferenceEquality") // A loader is itself.
    public boolean isOfInterest(@Nullable ClassLoader loader, String name) {
        if (loader != null && loader == ownLoader) {
            return false;
        }
        return isApi(name) || rules.nameExactly(name) || Origin.mayBeMarked(loader, name);
    }

    /** Whether a class that was made at run time may count, of which there are no bytes to look at; by its name. */
    public boolean mayCountUnseen(String name) {
        return !Origin.isGenerated(name) || rules.nameExactly(name);
    }

    /** Whether it is worth a closer look, by its bytes. */
    public boolean isHit(@Nullable ClassLoader loader, String name, byte[] bytes) {
        if (isApi(name) || rules.nameExactly(name) || ConstantPool.mentions(rules.needles(), bytes)) {
            return true;
        }
        boolean byPattern = rules.nameByPattern(name);
        return (byPattern || rules.needHierarchy())
                && !Origin.isGenerated(name, bytes)
                && !Origin.isForeign(loader, name)
                && (byPattern || isHeir(loader, bytes));
    }

    /** Whether something above it may make it count. */
    private boolean isHeir(@Nullable ClassLoader loader, byte[] bytes) {
        ClassReader reader = reader(bytes);
        Map<String, Hierarchy.Found> above = hierarchy().above(loader, reader.getSuperName(), reader.getInterfaces());
        boolean heir = rules.nameSubtypesOf(above.keySet());
        for (Hierarchy.Found found : above.values()) {
            heir |= rules.inherit() && found.file != null && found.file.isAnnotated();
        }
        return heir || rules.nameSubtypesOf(Collections.singleton(reader.getClassName()));
    }

    /** Made on the first hit. */
    private synchronized Hierarchy hierarchy() {
        if (hierarchy == null) {
            hierarchy = new Hierarchy(rules, log);
        }
        return hierarchy;
    }

    /** Made on the first hit. */
    private synchronized Reaches reaches() {
        if (reaches == null) {
            reaches = new Reaches();
        }
        return reaches;
    }

    /** What was seen and caught so far, for the log. */
    public String summary() {
        List<String> idle = rules.idle();
        int methods = 0;
        for (int of : woven.values()) {
            methods += of;
        }
        Hierarchy read = hierarchy;
        int unread = read == null ? 0 : read.unread();
        return scanned + " classes scanned, " + methods + " methods counted, " + refused() + " refused"
                + (unread == 0 ? "" : ", supertypes whose class files can't be read: " + unread)
                + (idle.isEmpty() ? "" : ", rules that named nothing: " + String.join("; ", idle))
                + ", faults suppressed: " + suppressed;
    }

    private byte @Nullable [] weave(@Nullable ClassLoader loader, String name, byte[] bytes) {
        if (isApi(name) || isCells(bytes)) {
            // It needs the bridge, and finds out by itself whether there is one.
            boolean unused = counting.getAsBoolean();
            complainIfMoved(name);
        }
        if (isApi(name)) {
            return null;
        }
        if (!on) {
            return null;
        }
        int version = version(bytes);
        ClassReader reader = reader(bytes);
        Map<String, MethodCounts> marked = marked(loader, name, reader, bytes);
        if (marked.isEmpty() || !counting.getAsBoolean() || !reaches().bridge(loader, name, refusals)) {
            return null;
        }
        byte[] written = WovenClass.write(reader, marked, ids, refusals);
        if (written == null) {
            return null;
        }
        woven.put(name, marked.size());
        if (version <= NEWEST) {
            return written;
        }
        log.accept("class files of version " + version + " are newer than the newest that this agent knows, " + NEWEST
                + "; they are counted as if they were of that");
        return withVersion(version, written);
    }

    /** Reads a class file, also of a release of Java that is newer than ASM; that is taken for one that it knows. */
    public static ClassReader reader(byte[] bytes) {
        return new ClassReader(version(bytes) > NEWEST ? withVersion(NEWEST, bytes.clone()) : bytes);
    }

    private static int version(byte[] bytes) {
        return (bytes[MAJOR] & 0xff) << 8 | (bytes[MAJOR + 1] & 0xff);
    }

    private static byte[] withVersion(int version, byte[] bytes) {
        bytes[MAJOR] = (byte) (version >> 8);
        bytes[MAJOR + 1] = (byte) version;
        return bytes;
    }

    private Map<String, MethodCounts> marked(
            @Nullable ClassLoader loader, String name, ClassReader reader, byte[] bytes) {
        boolean generated = Origin.isGenerated(name, bytes);
        boolean exactOnly = generated || Origin.isForeign(loader, name);
        return ClassMarks.read(loader, reader, generated, exactOnly, rules, hierarchy(), names, refusals);
    }

    /**
     * What {@link #transform} would make a class count, in lines such as {@code pkg.Class#method(types) = name entry};
     * what it would not is a line in the log. Nothing is woven.
     *
     * @param name the class's name with slashes
     */
    public List<String> list(@Nullable ClassLoader loader, String name, byte[] bytes) {
        try {
            if (isOfInterest(loader, name) && !isApi(name) && isHit(loader, name, bytes)) {
                if (isCells(bytes)) {
                    complainIfMoved(name);
                }
                ClassReader reader = reader(bytes);
                Map<String, MethodCounts> marked = marked(loader, name, reader, bytes);
                if (!marked.isEmpty()) {
                    // Takes out what can't be woven.
                    WovenClass.write(reader, marked, ids, refusals);
                }
                return Listing.lines(name, marked);
            }
        } catch (RuntimeException fault) {
            refusals.refuse(name, "", "it cannot be woven and counts nothing: " + fault);
        }
        return Collections.emptyList();
    }

    /** How many marks and names were refused. */
    public long refused() {
        return refusals.count() + names.refused();
    }

    /** The API's own cells, which look for the bridge when they are initialised: it must be there by then. */
    private static boolean isApi(String name) {
        // In two parts: in counters.jar the whole name would be the bridge's.
        return name.startsWith("io/counters/") && (name.endsWith(CELLS_NAME) || name.equals("io/counters/Counters"));
    }

    /** Whether these bytes may be the API's cells, under whatever name somebody's shading gave them. */
    public static boolean isCells(byte[] bytes) {
        return ConstantPool.mentions(CELLS, bytes);
    }

    private void complainIfMoved(String name) {
        if (!name.endsWith(CELLS_NAME)) {
            return;
        }
        String to = name.substring(0, name.length() - CELLS_NAME.length()).replace('/', '.');
        if (!to.equals("io.counters") && !to.endsWith(".io.counters")) {
            refusals.refuse(
                    "the API was moved to " + to + ": its Counters counts, and @" + to + ".Count does not; move it"
                            + " to a package that ends with io.counters, such as " + to + ".io.counters");
        }
    }

    private void suppress(@Nullable String name, Throwable fault) {
        try {
            if (suppressed.getAndIncrement() == 0) {
                log.accept("class " + name + " is loaded without being counted: " + fault
                        + "; further faults are only numbered, in the line after a minute");
            }
        } catch (Throwable evenThat) {
            // Out of memory, say: there is nobody left to tell.
            return;
        }
    }
}
