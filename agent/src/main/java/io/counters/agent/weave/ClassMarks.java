package io.counters.agent.weave;

import io.counters.agent.weave.Hierarchy.Found;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.bytebuddy.jar.asm.ClassReader;
import org.jspecify.annotations.Nullable;

/**
 * Decides which methods of a class count what: by {@code @Count}, and beside it by each rule.
 *
 * <p>{@code @Count}, or an annotation that a rule names, holds for a method if it stands on it; or else on its class, for
 * public methods other than Object's; or else, with {@code inherit}, if it holds that way for the nearest method
 * above that this one overrides. A name's {@code {class}} is where the annotation stands; for a rule that names
 * classes it is the class that counts. What a rule says that is said already, the same name at the same moment, is
 * counted once.
 */
final class ClassMarks {
    private static final String[] NO_NAMES = {};

    private final @Nullable ClassLoader loader;
    private final TypeFile file;
    private final Rules rules;
    private final Hierarchy hierarchy;
    private final Names names;
    private final Refusals refusals;
    private final Map<String, Found> above;
    private final List<Rule> applying;
    private final Map<String, MethodCounts> methods = new LinkedHashMap<>();

    private ClassMarks(
            @Nullable ClassLoader loader,
            ClassReader reader,
            boolean exactOnly,
            Rules rules,
            Hierarchy hierarchy,
            Names names,
            Refusals refusals) {
        boolean heir = rules.needHierarchy() && !exactOnly;
        this.loader = loader;
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
     * @param exactOnly whether the class counts only for rules that name it letter by letter
     */
    static Map<String, MethodCounts> read(
            @Nullable ClassLoader loader,
            ClassReader reader,
            boolean exactOnly,
            Rules rules,
            Hierarchy hierarchy,
            Names names,
            Refusals refusals) {
        ClassMarks marks = new ClassMarks(loader, reader, exactOnly, rules, hierarchy, names, refusals);
        if (marks.file.isAnnotation()) {
            marks.complainOfAnnotation();
            return marks.methods;
        }
        for (TypeFile.Method method : marks.file.methods) {
            marks.count(method);
        }
        marks.complainOfClass();
        return marks.methods;
    }

    private void count(TypeFile.Method method) {
        if (!method.hasCode()) {
            complainOfNoCode(method);
            return;
        }
        MethodCounts counts = new MethodCounts();
        List<Mark> said = new ArrayList<>();
        Annotations count = holding(method, Mark.COUNT);
        if (count != null) {
            for (Mark mark : count.marks) {
                said.add(mark);
                counts.add(mark, names, refusals, count.owner, method.name, method.descriptor);
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
            List<Mark> marks = marks(rule);
            if (!marks.isEmpty() && rule.take(file.name, method.name + method.descriptor, rules.limit(), refusals)) {
                for (Mark mark : marks) {
                    if (isNew(mark, said)) {
                        said.add(mark);
                        counts.add(mark, names, refusals, owner, method.name, method.descriptor);
                    }
                }
            }
        }
        if (!counts.isEmpty()) {
            methods.put(method.name + method.descriptor, counts);
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

    private static boolean isNew(Mark mark, List<Mark> said) {
        for (Mark other : said) {
            if (other.when == mark.when && other.value.equals(mark.value)) {
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
        } else if (named || (annotated && !rules.inherit())) {
            refusals.refuse(
                    file.name,
                    method.name,
                    "an abstract method has no code to count in; "
                            + (named
                                    ? "begin the rule with + to count what implements it"
                                    : "annotate what implements it, or set inherit=true"));
        }
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
