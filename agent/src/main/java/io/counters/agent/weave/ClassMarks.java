package io.counters.agent.weave;

import io.counters.agent.weave.Hierarchy.Found;
import io.counters.wire.NameTemplates;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import net.bytebuddy.jar.asm.ClassReader;
import org.jspecify.annotations.Nullable;

/**
 * Decides what the methods of a class count: by {@code @Count}, and in addition by each rule.
 *
 * <p>{@code @Count}, or an annotation that a rule names, applies to a method if it is on the method. Otherwise it applies if
 * it is on the class, to public methods except those of Object. Otherwise, with {@code inherit}, it applies if it applies
 * in one of these ways to the nearest method that this method overrides. The {@code {class}} of a name is the class where
 * the annotation is used; for a rule that names classes, it is the class that counts. If a rule or an annotation of
 * another library repeats a name at the same moment, it is counted once. A call of a method that {@link Forwarding}
 * identifies as a forwarder is counted once, too.
 */
final class ClassMarks {
    private static final String[] NO_NAMES = {};

    private final @Nullable ClassLoader loader;
    private final ClassReader reader;
    private final Rules rules;
    private final Hierarchy hierarchy;
    private final NameTemplates names;
    private final RefusedMarks refusals;
    private final Map<String, Found> above;
    private final List<Rule> applying;
    private final Map<String, MethodCounts> methods = new LinkedHashMap<>();
    private final Map<String, @Nullable ClassMarks> others = new HashMap<>(0);
    private @Nullable ClassCode code;

    /** Logs what has no effect. */
    final UncountedMarks uncounted;

    /** The contents of its class file. */
    final TypeFile file;

    final ClassOrigin origin;

    /** A mark that applies to a method. */
    static final class Said {
        final Mark mark;

        /** The value of {@code {class}} in its names. */
        final String owner;

        /** The rule that has the mark; null for {@code @Count} and annotations of other libraries. */
        final @Nullable Rule rule;

        /** Whether it is a {@code @Count}: each of them counts. Others count once what the method counts already. */
        final boolean isCount;

        private Said(Mark mark, String owner, @Nullable Rule rule, boolean isCount) {
            this.mark = mark;
            this.owner = owner;
            this.rule = rule;
            this.isCount = isCount;
        }

        static Said count(Mark mark, String owner) {
            return new Said(mark, owner, null, true);
        }

        /** @param rule null for an annotation of another library */
        static Said other(Mark mark, String owner, @Nullable Rule rule) {
            return new Said(mark, owner, rule, false);
        }

        /** Whether a rule gives the exact name of the class. */
        boolean isExact() {
            return rule != null && rule.isExact();
        }
    }

    private ClassMarks(
            @Nullable ClassLoader loader,
            ClassReader reader,
            ClassOrigin origin,
            Rules rules,
            Hierarchy hierarchy,
            NameTemplates names,
            RefusedMarks refusals) {
        boolean exactOnly = origin != ClassOrigin.APPLICATION;
        boolean heir = rules.needHierarchy() && !exactOnly;
        this.loader = loader;
        this.reader = reader;
        this.origin = origin;
        this.rules = rules;
        this.hierarchy = hierarchy;
        this.names = names;
        this.refusals = refusals;
        this.file = TypeFile.read(reader, rules.annotations(), heir);
        this.above = hierarchy.above(loader, heir ? file.superName : null, heir ? file.interfaces : NO_NAMES);
        this.applying = rules.of(file.name, above.keySet(), exactOnly);
        this.uncounted = new UncountedMarks(this, applying, rules, refusals);
    }

    /**
     * The methods that count; a key is a method's name followed by its descriptor.
     *
     * @param origin of the class; unless that is the application, it counts only for its own marks and for rules that give
     *     its exact name
     */
    static Map<String, MethodCounts> read(
            @Nullable ClassLoader loader,
            ClassReader reader,
            ClassOrigin origin,
            Rules rules,
            Hierarchy hierarchy,
            NameTemplates names,
            RefusedMarks refusals) {
        ClassMarks marks = new ClassMarks(loader, reader, origin, rules, hierarchy, names, refusals);
        if (marks.file.isAnnotation()) {
            marks.uncounted.ofAnnotation();
        }
        for (TypeFile.Method method : marks.file.methods) {
            marks.count(method);
        }
        if (!marks.file.isAnnotation()) {
            marks.uncounted.ofClass();
        }
        return marks.methods;
    }

    private void count(TypeFile.Method method) {
        if (!method.hasCode()) {
            uncounted.ofNoCode(method);
            return;
        }
        List<Said> said = said(method);
        if (said.isEmpty()) {
            return;
        }
        MethodCounts counts = new MethodCounts();
        for (Said one : new Forwarding(this, method).counted(said)) {
            Rule rule = one.rule;
            if (rule == null || rule.take(file.name, method.name + method.descriptor, rules.limit(), refusals)) {
                counts.add(one, names, refusals, method.name, method.descriptor);
            }
        }
        counts.separate(refusals, file.name, method.name);
        if (!counts.isEmpty()) {
            methods.put(method.name + method.descriptor, counts);
        }
    }

    /** The marks that apply to a method, each counter once, even if the method has no code. */
    List<Said> said(TypeFile.Method method) {
        List<Said> said = new ArrayList<>(1);
        Annotations count = holding(method, Mark.COUNT);
        if (count != null) {
            for (Mark mark : uncounted.understood(count, method.name)) {
                said.add(Said.count(mark, count.owner));
            }
        }
        for (Rule rule : applying) {
            Annotations named = rule.annotation.isEmpty() ? null : holding(method, rule.annotation);
            if (named == null && (!rule.annotation.isEmpty() || !names(rule, method))) {
                continue;
            }
            Alias alias = rule.alias;
            List<Mark> marks = alias == null || named == null ? marks(rule) : marks(alias, named, method);
            // Also if none of them can count, which is told.
            rule.matched = true;
            for (Mark mark : marks) {
                if (isNew(mark, said)) {
                    // A person has marked each of these methods, as with @Count, so there is no limit to their number.
                    said.add(Said.other(mark, named == null ? file.name : named.owner, alias == null ? rule : null));
                }
            }
        }
        return said;
    }

    /**
     * The facts about the code of its methods. Another agent, such as one that measures coverage, may already have changed
     * the code. Therefore, if one method may forward to another, the code of the class file is used, if there is one.
     */
    ClassCode code() {
        if (code == null) {
            code = ClassCode.read(reader);
            boolean perhaps = code.isOfOtherLanguage() || !code.superCalls.isEmpty() || hasAlike();
            byte[] bytes = perhaps ? file() : null;
            if (bytes != null) {
                code = ClassCode.read(Weaving.reader(bytes));
            }
        }
        return code;
    }

    /** Whether two of its methods have the same name, or count under the same name. */
    private boolean hasAlike() {
        Set<String> known = new HashSet<>();
        boolean alike = false;
        for (TypeFile.Method method : file.methods) {
            alike |= method.hasCode() && !known.add(method.name);
            Set<String> values = new HashSet<>(0);
            for (Mark mark : method.annotations.marks) {
                values.add("=" + mark.value);
            }
            values.remove("=");
            for (String value : values) {
                alike |= !known.add(value);
            }
        }
        return alike;
    }

    /** The class file from its loader; null if the loader has none. */
    private byte @Nullable [] file() {
        try {
            return Hierarchy.bytes(loader, file.name);
        } catch (Throwable unreadable) {
            // A class loader of the application may throw anything.
            return null;
        }
    }

    /** The marks of another class, whose name has slashes; null if it belongs to the JDK or cannot be read. */
    @Nullable
    ClassMarks of(String type) {
        if (type.equals(file.name)) {
            return this;
        }
        if (!others.containsKey(type)) {
            others.put(type, read(type));
        }
        return others.get(type);
    }

    private @Nullable ClassMarks read(String type) {
        try {
            byte[] bytes = type.isEmpty() || type.startsWith("java/") ? null : Hierarchy.bytes(loader, type);
            if (bytes == null) {
                return null;
            }
            RefusedMarks silent = new RefusedMarks(new Consumer<String>() {
                @Override
                public void accept(String line) {
                    // It is logged when that class is instrumented.
                }
            });
            ClassReader read = Weaving.reader(bytes);
            ClassMarks of =
                    new ClassMarks(loader, read, ClassOrigin.of(loader, type, bytes), rules, hierarchy, names, silent);
            of.code = ClassCode.read(read);
            return of;
        } catch (Throwable unreadable) {
            // A class loader of the application may throw anything.
            return null;
        }
    }

    /** Whether the class was generated at run time, so that its loader has no file of it. */
    boolean isMadeAtRunTime() {
        try {
            return Hierarchy.bytes(loader, file.name) == null;
        } catch (Throwable unreadable) {
            return false;
        }
    }

    /** The annotations, including this one, that apply to a method; null if this one does not apply. */
    private @Nullable Annotations holding(TypeFile.Method method, String annotation) {
        Annotations own = on(method, file, annotation);
        if (own != null || !rules.inherit() || !method.isVirtual()) {
            return own;
        }
        for (Found found : above.values()) {
            if (found.file != null) {
                for (TypeFile.Method overridden : found.file.methods) {
                    Annotations theirs = method.overrides(overridden) ? on(overridden, found.file, annotation) : null;
                    if (theirs != null) {
                        return theirs;
                    }
                }
            }
        }
        return null;
    }

    private static @Nullable Annotations on(TypeFile.Method method, TypeFile type, String annotation) {
        if (method.annotations.carry(annotation)) {
            return method.annotations;
        }
        return method.isOpen() && type.annotations.carry(annotation) ? type.annotations : null;
    }

    /** Whether a rule that names classes matches this method: directly, or because it overrides a matching one. */
    private boolean names(Rule rule, TypeFile.Method method) {
        if (rule.namesType(file.name) || rule.method.isEmpty() || method.name.equals("<init>")) {
            return rule.namesMethod(method);
        }
        for (Found found : above.values()) {
            if (rule.namesType(found.name) && found.file != null) {
                if (namesOverridden(rule, method, found.file)) {
                    return true;
                }
                // Methods that the matching type inherits from its supertypes match, too.
                for (Found higher : hierarchy
                        .above(loader, found.file.superName, found.file.interfaces)
                        .values()) {
                    if (higher.file != null && namesOverridden(rule, method, higher.file)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private static boolean namesOverridden(Rule rule, TypeFile.Method method, TypeFile type) {
        for (TypeFile.Method overridden : type.methods) {
            if (method.overrides(overridden) && rule.namesMethod(overridden)) {
                return true;
            }
        }
        return false;
    }

    /** What an annotation of another library says about a method; nothing if its attributes are not understood. */
    private List<Mark> marks(Alias alias, Annotations named, TypeFile.Method method) {
        try {
            return named.marksOf(alias);
        } catch (IllegalArgumentException misunderstood) {
            uncounted.ofAlias(alias, named, method, String.valueOf(misunderstood.getMessage()));
            return new ArrayList<>(0);
        }
    }

    /** The marks of a rule; if it names an annotation type that carries {@code @Count}, the marks on that type. */
    private List<Mark> marks(Rule rule) {
        if (!rule.annotation.isEmpty() && rule.plain) {
            TypeFile annotation = hierarchy.find(loader, internalName(rule.annotation)).file;
            if (annotation != null && !annotation.annotations.marks.isEmpty()) {
                return uncounted.understood(annotation.annotations, "");
            }
            if (rules.isMetaAnnotation(rule.annotation)) {
                refusals.refuse(
                        internalName(rule.annotation),
                        "",
                        (annotation == null
                                        ? "metaAnnotations names it, but its class file cannot be read; put it on the"
                                                + " class path, or write a rule @"
                                        : "metaAnnotations names it, but it has no @Count; annotate it, or write a"
                                                + " rule @")
                                + internalName(rule.annotation).replace('/', '.') + " = name");
                return Collections.emptyList();
            }
        }
        return Collections.singletonList(rule.mark);
    }

    private static String internalName(String descriptor) {
        return descriptor.substring(1, descriptor.length() - 1);
    }

    /** False if the same is said already. Whether resolved names are equal is seen in {@link MethodCounts}. */
    private static boolean isNew(Mark mark, List<Said> said) {
        for (Said other : said) {
            if (other.mark.when == mark.when
                    && other.mark.value.equals(mark.value)
                    && other.mark.counts == mark.counts
                    && other.mark.on.equals(mark.on)) {
                return false;
            }
        }
        return true;
    }
}
