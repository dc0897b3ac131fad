package io.counters.agent.weave;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Logs the marks of a class that have no effect, with the reason and the remedy. */
final class UncountedMarks {
    private final ClassMarks in;
    private final List<Rule> applying;
    private final Rules rules;
    private final RefusedMarks refusals;
    private final Set<String> said = new HashSet<>(0);

    UncountedMarks(ClassMarks in, List<Rule> applying, Rules rules, RefusedMarks refusals) {
        this.in = in;
        this.applying = applying;
        this.rules = rules;
        this.refusals = refusals;
    }

    /** Logs once that a method that a rule names is a compiler's forwarder, and therefore not counted. */
    void ofForwarder(TypeFile.Method method, String to) {
        if (said.add("forwarder " + method.name)) {
            refusals.refuse(
                    in.file.name,
                    method.name,
                    "the compiler generated this method only to forward calls, so it is not counted; name the method"
                            + " that it calls: " + to);
        }
    }

    /**
     * Logs once that an annotation of another library is not counted, because its attributes are not understood.
     *
     * @param on the annotations to which it belongs, of the method or of a class
     */
    void ofAlias(Alias alias, Annotations on, TypeFile.Method method, String why) {
        String place = on.onType ? "" : method.name;
        if (said.add(alias + " " + on.owner + "." + place)) {
            refusals.refuse(
                    on.owner,
                    place,
                    "@" + alias.type + " is not counted: " + why
                            + "; leave the attribute out, or count the method with @Count or a rule");
        }
    }

    /**
     * Each {@code @Count} of which the agent understands everything. Others are logged, because counted in part they would
     * count something else: once for each class that is instrumented, so one on an annotation type or on an overridden method
     * may be logged several times.
     *
     * @param on the annotations to which they belong, of the method or of a class
     */
    List<Mark> understood(Annotations on, String method) {
        List<Mark> understood = new ArrayList<>(1);
        for (Mark mark : on.marks) {
            String place = on.onType ? "" : method;
            if (mark.unknown.isEmpty()) {
                understood.add(mark);
            } else if (said.add("unknown " + on.owner + "." + place + " " + mark.unknown)) {
                refusals.refuse(
                        on.owner,
                        place,
                        "@Count is not counted: " + mark.unknown
                                + " is not understood; use a counters.jar that is as new"
                                + " as the counters-core that this class was compiled with");
            }
        }
        return understood;
    }

    void ofNoCode(TypeFile.Method method) {
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
            refusals.refuse(
                    in.file.name,
                    method.name,
                    "a native method has no code to count in; count the methods that call it");
        } else if (named || (annotated && !rules.inherit() && !isWrittenBeside(method))) {
            refusals.refuse(
                    in.file.name,
                    method.name,
                    "an abstract method has no code to count in; "
                            + (named
                                    ? "begin the rule with + to count the methods that implement it"
                                    : "annotate the methods that implement it, or set inherit=true"));
        }
    }

    /** Whether the compiler put the code, with the mark, into a nested class: Kotlin's defaults, Groovy's traits. */
    private boolean isWrittenBeside(TypeFile.Method method) {
        for (String nested : in.file.nested) {
            ClassMarks beside = in.of(nested);
            if (beside != null) {
                for (TypeFile.Method other : beside.file.methods) {
                    if (other.isStatic()
                            && other.hasCode()
                            && other.name.equals(method.name)
                            && other.descriptor.startsWith("(L" + in.file.name + ";" + method.descriptor.substring(1))
                            && !other.annotations.marks.isEmpty()) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    void ofClass() {
        boolean open = false;
        for (TypeFile.Method method : in.file.methods) {
            open |= method.isOpen() && (method.hasCode() || rules.inherit());
        }
        if (open) {
            return;
        }
        if (in.file.annotations.carry(Mark.COUNT)) {
            ofClassWithoutMethods("Count");
        }
        for (Rule rule : applying) {
            if (!rule.annotation.isEmpty() && in.file.annotations.carry(rule.annotation)) {
                ofClassWithoutMethods(rule.annotation
                        .substring(1, rule.annotation.length() - 1)
                        .replace('/', '.'));
            }
        }
    }

    private void ofClassWithoutMethods(String annotation) {
        refusals.refuse(
                in.file.name,
                "",
                "@" + annotation
                        + " on a class applies to its public methods that have code, but there are none; annotate methods"
                        + (in.file.isInterface() ? " or the classes that implement it, or set inherit=true" : ""));
    }

    void ofAnnotation() {
        if (in.file.annotations.carry(Mark.COUNT) && !rules.annotations().contains("L" + in.file.name + ";")) {
            String name = in.file.name.replace('/', '.');
            refusals.refuse(
                    in.file.name,
                    "",
                    "@Count on an annotation type has an effect only if the settings name that type; set metaAnnotations="
                            + name);
        }
    }
}
