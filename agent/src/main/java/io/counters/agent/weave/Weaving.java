package io.counters.agent.weave;

import io.counters.wire.NameTemplates;
import java.lang.instrument.ClassFileTransformer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
 * Receives every class that the JVM loads, and instruments those that count. Called on threads of the application, on
 * several at a time; never throws. For a class without marks it needs only this class, {@link Rules} and {@link
 * ConstantPool}, and {@link Hierarchy} if {@code inherit} or a rule with {@code +} is set.
 */
public final class Weaving implements ClassFileTransformer {
    /** The agent's loader; null in unit tests, where the application's loader loads the agent. */
    @SuppressWarnings("ReferenceEquality") // Loaders are compared by identity.
    private final @Nullable ClassLoader ownLoader = Weaving.class.getClassLoader() == ClassLoader.getSystemClassLoader()
            ? null
            : Weaving.class.getClassLoader();

    /** The newest version of class files that ASM supports. Newer versions rarely change the code of methods. */
    private static final int NEWEST = Opcodes.V27;

    private static final int MAJOR = 6;

    /** Stands in names for what a build does not know; see {@link #forBuild}. */
    public static final String UNKNOWN = "not-known-to-a-build";

    private static final byte[][] CELLS = {BridgeVisibility.BRIDGE.getBytes(StandardCharsets.UTF_8)};
    private static final String CELLS_NAME = "/cells/Cells";

    private final NameTemplates names;
    private final BooleanSupplier counting;
    private final Callee bridge;
    private final Consumer<String> log;
    private final RefusedMarks refusals;
    private final AtomicLong scanned = new AtomicLong();
    private final AtomicLong suppressed = new AtomicLong();
    private @Nullable BridgeVisibility reaches;
    private volatile @Nullable Hierarchy hierarchy;

    /** The number of methods that count, by class name. A name does not keep a loader alive, and survives a redeployment. */
    private final Map<String, Integer> woven = new ConcurrentHashMap<>();

    /** The woven classes that rules of this JVM name. */
    private final Set<String> leftAlone = ConcurrentHashMap.newKeySet();

    private volatile Rules rules;
    private volatile boolean on = true;

    /**
     * @param counting starts counting if necessary; false if nothing can be counted
     * @param ids returns the ID of a name in the bridge; called only after counting has begun
     * @param log accepts one message at a time, from any thread
     */
    public Weaving(
            Rules rules,
            NameTemplates names,
            BooleanSupplier counting,
            ToIntFunction<String> ids,
            Consumer<String> log) {
        this.rules = rules;
        this.names = names;
        this.counting = counting;
        this.bridge = Callee.bridge(ids);
        this.log = log;
        this.refusals = new RefusedMarks(log);
    }

    /** Loads the classes that scanning needs, because loading them later would call this transformer recursively. */
    public void preload() {
        // If many threads load classes at once, the maps here use the first, and Java 8 deadlocks over the second.
        ThreadLocalRandom.current();
        FileSystems.getDefault();
        boolean none = isOfInterest(null, "java/") || ConstantPool.mentions(rules.needles(), new byte[10]);
        if (none || ClassOrigin.isOfTheImage("", null) || ClassOrigin.isGenerated("")) {
            throw new IllegalStateException("the checks must not match an empty class");
        }
        if (rules.needHierarchy()) {
            // A class of the JDK, and one from a jar.
            hierarchy().find(null, "java/lang/Object");
            hierarchy().find(ClassLoader.getSystemClassLoader(), "io/counters/agent/Premain");
        }
    }

    /**
     * Changes the rules from now on. Loaded classes stay unchanged until they are retransformed.
     *
     * @param on if false, nothing is instrumented, so that retransforming a class restores it
     */
    public synchronized void change(Rules rules, boolean on) {
        this.rules = rules;
        this.hierarchy = null;
        this.on = on;
    }

    /** The current rules. */
    public Rules rules() {
        return rules;
    }

    /** Whether classes are currently instrumented. */
    public boolean isOn() {
        return on;
    }

    /** Whether a class with this name, which has slashes, is instrumented. */
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
                    || (ClassOrigin.isOfTheImage(name, domain) && !rules.nameExactly(name))) {
                return null;
            }
            scanned.incrementAndGet();
            return isHit(loader, name, bytes) ? weave(loader, name, bytes) : null;
        } catch (Throwable fault) {
            suppress(name, fault);
            return null;
        }
    }

    /** Whether a class may count, or is part of the API, according to its name, which has slashes, and its loader. */
    @SuppressWarnings("ReferenceEquality") // Loaders are compared by identity.
    public boolean isOfInterest(@Nullable ClassLoader loader, String name) {
        if (loader != null && loader == ownLoader) {
            return false;
        }
        return isApi(name) || rules.nameExactly(name) || ClassOrigin.mayBeMarked(loader, name);
    }

    /** Whether a class with this name may count if it was generated at run time, so that its bytes are not available. */
    public boolean mayCountUnseen(String name) {
        return !ClassOrigin.isGenerated(name) || rules.nameExactly(name);
    }

    /** Whether a class may count according to its bytes, so that it must be read. One that a build has woven may not. */
    public boolean isHit(@Nullable ClassLoader loader, String name, byte[] bytes) {
        if (isApi(name)) {
            return true;
        }
        if (!mayCount(loader, name, bytes)) {
            return false;
        }
        boolean built = BuildMark.isOn(bytes);
        if (built && rules.nameExactly(name) && leftAlone.add(name)) {
            rules.leaveAlone(name);
            refusals.refuse(
                    name,
                    "",
                    "a build has woven this class, so the agent leaves it alone, and the rules that name it have no effect;"
                            + " add these rules to the settings of the build");
        }
        return !built;
    }

    private boolean mayCount(@Nullable ClassLoader loader, String name, byte[] bytes) {
        if (rules.nameExactly(name) || ConstantPool.mentions(rules.needles(), bytes)) {
            return true;
        }
        boolean byPattern = rules.nameByPattern(name);
        return (byPattern || rules.needHierarchy())
                && !ClassOrigin.isGenerated(name, bytes)
                && !ClassOrigin.isForeign(loader, name)
                && (byPattern || isHeir(loader, bytes));
    }

    /** Whether a class may count because of its supertypes. */
    private boolean isHeir(@Nullable ClassLoader loader, byte[] bytes) {
        ClassReader reader = reader(bytes);
        Map<String, Hierarchy.Found> above = hierarchy().above(loader, reader.getSuperName(), reader.getInterfaces());
        boolean heir = rules.nameSubtypesOf(above.keySet());
        for (Hierarchy.Found found : above.values()) {
            heir |= rules.inherit() && found.file != null && found.file.isAnnotated();
        }
        return heir || rules.nameSubtypesOf(Collections.singleton(reader.getClassName()));
    }

    /** Created when it is first needed. */
    private synchronized Hierarchy hierarchy() {
        if (hierarchy == null) {
            hierarchy = new Hierarchy(rules, log);
        }
        return hierarchy;
    }

    /** Created when it is first needed. */
    private synchronized BridgeVisibility reaches() {
        if (reaches == null) {
            reaches = new BridgeVisibility();
        }
        return reaches;
    }

    /** What was scanned and instrumented so far, for the log. */
    public String summary() {
        List<String> idle = rules.idle();
        Hierarchy read = hierarchy;
        int unread = read == null ? 0 : read.unread();
        return "classes scanned: " + scanned + ", methods instrumented: " + methods() + ", refused @Count and rules: "
                + refused()
                + (unread == 0 ? "" : ", supertypes whose class files cannot be read: " + unread)
                + (idle.isEmpty() ? "" : ", rules that matched nothing: " + String.join("; ", idle))
                + ", errors suppressed while instrumenting: " + suppressed;
    }

    private byte @Nullable [] weave(@Nullable ClassLoader loader, String name, byte[] bytes) {
        if (isApi(name) || isCells(bytes)) {
            // The API needs the bridge, and finds out by itself whether it is defined.
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
        byte[] written = WovenClass.write(bytes, reader, marked, bridge, refusals);
        if (written == null) {
            return null;
        }
        woven.put(name, marked.size());
        if (version <= NEWEST) {
            return written;
        }
        log.accept("class files of version " + version + " are newer than the newest version that this agent knows, "
                + NEWEST + "; they are instrumented as if they had that version");
        return withVersion(version, written);
    }

    /** Reads a class file. If its version is newer than ASM supports, it is read as the newest that ASM supports. */
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
        return ClassMarks.read(
                loader, reader, ClassOrigin.of(loader, name, bytes), rules, hierarchy(), names, refusals);
    }

    /**
     * What a class would count after {@link #transform}, in lines such as {@code pkg.Class#method(types) = name entry}.
     * Marks that cannot work are logged. Nothing is instrumented.
     *
     * @param name the class's name with slashes
     */
    public List<String> list(@Nullable ClassLoader loader, String name, byte[] bytes) {
        try {
            if (isCells(bytes)) {
                complainIfMoved(name);
            }
            ClassReader reader = reader(bytes);
            Map<String, MethodCounts> marked = markedOnDisk(loader, name, reader, bytes);
            if (!marked.isEmpty()) {
                // Removes methods that cannot be instrumented.
                WovenClass.write(bytes, reader, marked, bridge, refusals);
            }
            return Listing.lines(name, marked);
        } catch (RuntimeException fault) {
            refusals.refuse(name, "", "the class cannot be instrumented and counts nothing: " + fault);
        }
        return Collections.emptyList();
    }

    /**
     * The class file with calls of the API, {@code io.counters.Woven}, so that it counts without the agent. Marks that
     * cannot work are logged.
     *
     * @param loader returns, as resources, class files that are not woven
     * @param name the class's name with slashes
     * @param original the class file before any build has woven it
     * @return null if the class counts nothing
     */
    public byte @Nullable [] forBuild(ClassLoader loader, String name, byte[] original) {
        try {
            ClassReader reader = reader(original);
            Map<String, MethodCounts> marked = markedOnDisk(loader, name, reader, original);
            for (Map.Entry<String, MethodCounts> method : marked.entrySet()) {
                if (method.getValue().removeNamed(UNKNOWN)) {
                    refusals.refuse(
                            name,
                            method.getKey().substring(0, method.getKey().indexOf('(')),
                            "a name with {host}, or with {app} while the setting app is not set, is not counted, because"
                                    + " a build does not know where and as what the class will run; name it otherwise");
                }
            }
            marked.values().removeIf(MethodCounts::isEmpty);
            byte[] written = marked.isEmpty()
                    ? null
                    : WovenClass.write(original, reader, marked, Callee.api(original), refusals);
            if (written != null) {
                // A multi-release jar has several files of a class, of which a JVM uses one.
                woven.merge(name, marked.size(), Math::max);
                return version(original) <= NEWEST ? written : withVersion(version(original), written);
            }
        } catch (RuntimeException fault) {
            refusals.refuse(name, "", "the class cannot be instrumented and counts nothing: " + fault);
        }
        return null;
    }

    /** What the methods of a class count that no JVM has loaded. */
    private Map<String, MethodCounts> markedOnDisk(
            @Nullable ClassLoader loader, String name, ClassReader reader, byte[] bytes) {
        boolean counts = isOfInterest(loader, name) && !isApi(name) && isHit(loader, name, bytes);
        return counts ? marked(loader, name, reader, bytes) : new HashMap<>(0);
    }

    /** What a build has woven, for its log; {@code written} is the number of class files that it wrote. */
    public String summaryForBuild(int written) {
        List<String> idle = rules.idle();
        return "methods that count: " + methods() + ", classes: " + woven.size() + ", class files written: " + written
                + (idle.isEmpty() ? "" : ", rules that matched nothing: " + String.join("; ", idle));
    }

    private int methods() {
        int methods = 0;
        for (int of : woven.values()) {
            methods += of;
        }
        return methods;
    }

    /** How many marks and names were refused. */
    public long refused() {
        return refusals.count() + names.refused();
    }

    /** Whether it is the API, whose cells look for the bridge when they are initialized, so that it must be defined. */
    private static boolean isApi(String name) {
        // The name is in two parts, because shading would replace the whole name by the bridge's in counters.jar.
        return name.startsWith("io/counters/") && (name.endsWith(CELLS_NAME) || name.equals("io/counters/Counters"));
    }

    /** Whether these bytes may be the API's cells, also if shading has renamed them. */
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
                    "the API was moved to " + to + ": its Counters counts, but @" + to + ".Count does not; move the API"
                            + " to a package that ends with io.counters, such as " + to + ".io.counters");
        }
    }

    private void suppress(@Nullable String name, Throwable fault) {
        try {
            if (suppressed.getAndIncrement() == 0) {
                log.accept("class " + name + " is loaded without being instrumented: " + fault
                        + "; further such errors are not logged; the line after a minute gives their number");
            }
        } catch (Throwable evenThat) {
            // For example, there is no memory for the message, so nothing can be logged.
            return;
        }
    }
}
