package io.counters.agent.weave;

import io.counters.agent.weave.Hierarchy.Found;
import java.util.ArrayList;
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
 * Decides which methods of a class count what: by {@code @Count}, and beside it by each rule.
 *
 * <p>{@code @Count}, or an annotation that a rule names, holds for a method if it stands on it; or else on its class, for
 * public methods other than Object's; or else, with {@code inherit}, if it holds that way for the nearest method
 * above that this one overrides. A name's {@code {class}} is where the annotation stands; for a rule that names
 * classes it is the class that counts. What a rule says that is said already, the same name at the same moment, is
 * counted once, and so is what {@link Forwarding} finds to be handed on.
 */
final class ClassMarks {
    private static final String[] NO_NAMES = {};

    private final @Nullable ClassLoader loader;
    private final ClassReader reader;
    private final Rules rules;
    private final Hierarchy hierarchy;
    private final Names names;
    private final Refusals refusals;
    private final Map<String, Found> above;
    private final List<Rule> applying;
    private final Map<String, MethodCounts> methods = new LinkedHashMap<>();
    private final Map<String, @Nullable ClassMarks> others = new HashMap<>(0);
    private final Set<String> handsOn = new HashSet<>(0);
    private @Nullable ClassCode code;

    /** What its class file says. */
    final TypeFile file;

    /** Whether a tool generated it, by its name. */
    final boolean generated;

    /** That a method counts, and by what. */
    static final class Said {
        final Mark mark;

        /** The class that a name's {@code {class}} is. */
        final String owner;

        /** The rule that says so; null for {@code @Count}. */
        final @Nullable Rule rule;

        Said(Mark mark, String owner, @Nullable Rule rule) {
            this.mark = mark;
            this.owner = owner;
            this.rule = rule;
        }

        /** Whether a rule names the very class. */
        boolean isExact() {
            return rule != null && rule.isExact();
        }
    }

    private ClassMarks(
            @Nullable ClassLoader loader,
            ClassReader reader,
            boolean generated,
            boolean exactOnly,
            Rules rules,
            Hierarchy hierarchy,
            Names names,
            Refusals refusals) {
        boolean heir = rules.needHierarchy() && !exactOnly;
        this.loader = loader;
        this.reader = reader;
        this.generated = generated;
        this.rules = rules;
        this.hierarchy = hierarchy;
        this.names = names;
        this.refusals = refusals;
        this.file = TypeFile.read(reader, rules.annotations(), heir);
        this.above = hierarchy.above(loader, heir ? file.superName : null, heir ? file.interfaces : NO_NAMES);
        this.applying = rules.of(file.name, above.keySet(), exactOnly);
    }

    /**
     * The methods that count, by name and descriptor written together.
     *
     * @param generated whether a tool generated the class, by its name
     * @param exactOnly whether the class counts only for its own marks and for rules that name it letter by letter
     */
    static Map<String, MethodCounts> read(
            @Nullable ClassLoader loader,
            ClassReader reader,
            boolean generated,
            boolean exactOnly,
            Rules rules,
            Hierarchy hierarchy,
            Names names,
            Refusals refusals) {
        ClassMarks marks = new ClassMarks(loader, reader, generated, exactOnly, rules, hierarchy, names, refusals);
        if (marks.file.isAnnotation()) {
            marks.complainOfAnnotation();
        }
        for (TypeFile.Method method : marks.file.methods) {
            marks.count(method);
        }
        if (!marks.file.isAnnotation()) {
            marks.complainOfClass();
        }
        return marks.methods;
    }

    private void count(TypeFile.Method method) {
        if (!method.hasCode()) {
            complainOfNoCode(method);
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
                counts.add(one.mark, names, refusals, one.owner, method.name, method.descriptor);
            }
        }
        if (!counts.isEmpty()) {
            methods.put(method.name + method.descriptor, counts);
        }
    }

    /** What a method counts by, each counter once; whether it has code or not. */
    List<Said> said(TypeFile.Method method) {
        List<Said> said = new ArrayList<>(1);
        Annotations count = holding(method, Mark.COUNT);
        if (count != null) {
            for (Mark mark : count.marks) {
                said.add(new Said(mark, count.owner, null));
            }
        }
        for (Rule rule : applying) {
            String owner = file.name;
            if (!rule.annotation.isEmpty()) {
                Annotations named = holding(method, rule.annotation);
                if (named == null) {
                    continue;
                }
                owner = named.owner;
            } else if (!names(rule, method)) {
                continue;
            }
            for (Mark mark : marks(rule)) {
                rule.matched = true;
                if (isNew(mark, said)) {
                    said.add(new Said(mark, owner, rule));
                }
            }
        }
        return said;
    }

    /** What is asked of the code of its methods. */
    ClassCode code() {
        if (code == null) {
            code = ClassCode.read(reader);
        }
        return code;
    }

    /** The same of another class, whose name has slashes; null for one of the JDK, or that can't be read. */
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
            boolean byTool = Origin.isGenerated(type, bytes);
            boolean exactOnly = byTool || Origin.isForeign(loader, type);
            Refusals silent = new Refusals(new Consumer<String>() {
                @Override
                public void accept(String line) {
                    // It is said where that class is woven.
                }
            });
            return new ClassMarks(loader, Weaving.reader(bytes), byTool, exactOnly, rules, hierarchy, names, silent);
        } catch (Throwable unreadable) {
            // It is a loader's of the application, and may throw anything.
            return null;
        }
    }

    /** Whether its class was made at run time: its loader has no file of it. */
    boolean isMadeAtRunTime() {
        try {
            return Hierarchy.bytes(loader, file.name) == null;
        } catch (Throwable unreadable) {
            return false;
        }
    }

    /** Says once that a method which only a rule names hands calls on, and so does not count. */
    void complainOfForwarder(TypeFile.Method method, String to) {
        if (handsOn.add(method.name)) {
            refusals.refuse(
                    file.name,
                    method.name,
                    "the compiler made it only to hand calls on, and it is not counted; name the method that it calls, "
                            + to);
        }
    }

    /** The annotations, this one among them, that hold for a method; null if there are none. */
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

    /** Whether a rule that names classes means this method: in the class itself, or as one that overrides. */
    private boolean names(Rule rule, TypeFile.Method method) {
        if (rule.namesType(file.name) || rule.method.isEmpty() || method.name.equals("<init>")) {
            return rule.namesMethod(method);
        }
        for (Found found : above.values()) {
            if (rule.namesType(found.name) && found.file != null) {
                if (namesOverridden(rule, method, found.file)) {
                    return true;
                }
                // What the named type has from its own supertypes is its method too.
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

    /** What a rule asks for; of an annotation that carries {@code @Count}, what that says. */
    private List<Mark> marks(Rule rule) {
        List<Mark> marks = new ArrayList<>(1);
        if (!rule.annotation.isEmpty() && rule.plain) {
            TypeFile annotation = hierarchy.find(loader, internalName(rule.annotation)).file;
            if (annotation != null) {
                marks.addAll(annotation.annotations.marks);
            }
            if (marks.isEmpty() && rules.isMetaAnnotation(rule.annotation)) {
                refusals.refuse(
                        internalName(rule.annotation),
                        "",
                        (annotation == null
                                        ? "metaAnnotations names it, but its class is nowhere to be read: put it on the"
                                                + " class path, or write a rule @"
                                        : "metaAnnotations names it, but it carries no @Count: annotate it, or write a"
                                                + " rule @")
                                + internalName(rule.annotation).replace('/', '.') + " = name");
                return marks;
            }
        }
        if (marks.isEmpty()) {
            marks.add(rule.mark);
        }
        return marks;
    }

    private static String internalName(String descriptor) {
        return descriptor.substring(1, descriptor.length() - 1);
    }

    private static boolean isNew(Mark mark, List<Said> said) {
        for (Said other : said) {
            if (other.mark.when == mark.when && other.mark.value.equals(mark.value)) {
                return false;
            }
        }
        return true;
    }

    private void complainOfNoCode(TypeFile.Method method) {
        boolean annotated = method.annotations.carry(Mark.COUNT);
        boolean named = false;
        for (Rule rule : applying) {
            boolean names = rule.annotation.isEmpty()
                    ? rule.isExact() && !rule.method.isEmpty() && rule.namesMethod(method)
                    : method.annotations.carry(rule.annotation);
            named |= names && rule.annotation.isEmpty();
            annotated |= names && !rule.annotation.isEmpty();
            if (names) {
                rule.matched = true;
            }
        }
        if (method.isNative() && (annotated || named)) {
            refusals.refuse(file.name, method.name, "a native method has no code to count in; count what calls it");
        } else if (named || (annotated && !rules.inherit() && !isWrittenBeside(method))) {
            refusals.refuse(
                    file.name,
                    method.name,
                    "an abstract method has no code to count in; "
                            + (named
                                    ? "begin the rule with + to count what implements it"
                                    : "annotate what implements it, or set inherit=true"));
        }
    }

    /** Whether the compiler put the code into a class beside it, with the mark: Kotlin's defaults, Groovy's traits. */
    private boolean isWrittenBeside(TypeFile.Method method) {
        for (String nested : file.nested) {
            ClassMarks beside = of(nested);
            if (beside != null) {
                for (TypeFile.Method other : beside.file.methods) {
                    if (other.isStatic()
                            && other.hasCode()
                            && other.name.equals(method.name)
                            && other.descriptor.startsWith("(L" + file.name + ";" + method.descriptor.substring(1))
                            && !other.annotations.marks.isEmpty()) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private void complainOfClass() {
        boolean open = false;
        for (TypeFile.Method method : file.methods) {
            open |= method.isOpen() && (method.hasCode() || rules.inherit());
        }
        if (file.annotations.carry(Mark.COUNT) && !open) {
            refusals.refuse(
                    file.name,
                    "",
                    "@Count on a class stands for its public methods that have code, and there is none; annotate methods"
                            + (file.isInterface() ? ", or what implements it, or set inherit=true" : ""));
        }
    }

    private void complainOfAnnotation() {
        if (file.annotations.carry(Mark.COUNT) && !rules.annotations().contains("L" + file.name + ";")) {
            String name = file.name.replace('/', '.');
            refusals.refuse(
                    file.name,
                    "",
                    "@Count on an annotation counts where that is used only if it is named; set metaAnnotations="
                            + name);
        }
    }
}
