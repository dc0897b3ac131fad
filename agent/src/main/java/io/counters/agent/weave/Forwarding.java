package io.counters.agent.weave;

import io.counters.agent.weave.ClassMarks.Said;
import io.counters.agent.weave.MethodCode.Call;
import io.counters.agent.weave.MethodCode.Receiver;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether a method forwards its calls to one that counts them, so that a call counts once.
 *
 * <p><b>Forwarders.</b> Compilers copy annotations to methods that they add: a static double of an {@code object}'s
 * method, a class's own copy of a method of a trait or an interface, overloads for default arguments, constructors
 * without arguments. The source has one method, and only the method that is called counts. A forwarder is recognized by
 * its code, see {@link MethodCode}, and by the method that it calls, which has code and counts by the same mark. Marks are
 * the same in these cases:
 *
 * <ul>
 *   <li>They name the same counter at the same moment, whether a compiler or a person wrote the forwarder: {@code
 *       @Count("x") a() { a(1); }} and {@code @Count("x") a(int)}.
 *   <li>The annotations are equal, their name depends on the class or the method, and the compiler of another language
 *       than Java made the copy: the called method has the same name, except for what compilers add to it, and is called
 *       on the same object, on the only object of its type, or on an object in a field that the compiler added.
 * </ul>
 *
 * A call on any other object is a delegation that a person wrote. In Java it always counts; in other languages it counts
 * unless name, types and counter are the same. The search passes through methods without the annotation that only forward.
 *
 * <p><b>Proxies.</b> Tools generate subclasses whose methods call the real method, on {@code super}, on another object or
 * through an interceptor. A method of such a class is not counted because of {@code inherit}, {@code +}, {@code *} or a
 * copied annotation. It is recognized if all of this is true: it has no line numbers; its class has no file, or is
 * synthetic; and it only calls a method like itself, or uses a {@code Method} or {@code MethodHandle}, or its class also
 * calls the overridden method on {@code super}.
 */
final class Forwarding {
    private static final int DEPTH_MAX = 20;

    private final ClassMarks in;
    private final TypeFile.Method method;
    private final @Nullable MethodCode code;

    /** The methods that were already searched, because several paths may lead to the same method. */
    private final Set<String> looked = new HashSet<>(4);

    /** A method that is called, and whether the caller may be a compiler's copy of it. */
    private static final class Target {
        final ClassMarks in;
        final TypeFile.Method method;
        final boolean copied;

        Target(ClassMarks in, TypeFile.Method method, boolean copied) {
            this.in = in;
            this.method = method;
            this.copied = copied;
        }
    }

    /** Collects the targets of one call. */
    private static final class Search {
        final List<Target> found;
        final boolean copied;

        Search(List<Target> found, boolean copied) {
            this.found = found;
            this.copied = copied;
        }

        void add(ClassMarks in, TypeFile.Method method) {
            found.add(new Target(in, method, copied));
        }
    }

    Forwarding(ClassMarks in, TypeFile.Method method) {
        this.in = in;
        this.method = method;
        this.code = in.code().of(method.name + method.descriptor);
    }

    /** The marks by which the method itself counts. */
    List<Said> counted(List<Said> said) {
        List<Target> targets = targets();
        boolean proxy = isProxy();
        List<Target> overridden = proxy ? overridden() : new ArrayList<>(0);
        List<Said> counted = new ArrayList<>(said.size());
        for (Said one : said) {
            boolean own = one.owner.equals(in.file.name) && (one.rule == null || !one.rule.annotation.isEmpty());
            boolean ofProxy = proxy && !one.isExact() && (!own || saysTheSame(overridden, one.mark));
            if (!ofProxy && !isHandedOn(one, targets)) {
                Target real = one.mark.named ? copied(targets) : null;
                if (real == null) {
                    counted.add(one);
                } else {
                    in.uncounted.ofForwarder(method, real.in.file.name.replace('/', '.') + "#" + real.method.name);
                }
            }
        }
        return counted;
    }

    private boolean isHandedOn(Said one, List<Target> targets) {
        for (Target target : targets) {
            for (Said other : target.in.said(target.method)) {
                if (one.mark.equalTo(other.mark) && (target.copied || hasSameNames(one, other, target.method))) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean hasSameNames(Said one, Said other, TypeFile.Method target) {
        boolean byClass = one.mark.uses("{class}") || one.mark.uses("{simpleClass}") || one.mark.uses("{package}");
        return (!byClass || one.owner.equals(other.owner))
                && (!one.mark.uses("{method}") || method.name.equals(target.name));
    }

    private static @Nullable Target copied(List<Target> targets) {
        for (Target target : targets) {
            if (target.copied) {
                return target;
            }
        }
        return null;
    }

    /** The methods in which a forwarded call may end; none if it is not a forwarder. */
    private List<Target> targets() {
        List<Target> targets = new ArrayList<>(1);
        if (code == null) {
            return targets;
        }
        boolean otherLanguage = in.code().isOfOtherLanguage();
        for (Call call : code.handsOnTo()) {
            Receiver receiver = code.receiver(call);
            boolean dynamic = call.opcode == Opcodes.INVOKEDYNAMIC;
            boolean alike = otherLanguage
                    && call.name.equals(method.name)
                    && (dynamic || call.descriptor.equals(method.descriptor));
            boolean ofCompiler = otherLanguage
                    && receiver != Receiver.OTHER
                    && isNameOf(call.name)
                    && !(call.opcode == Opcodes.INVOKESPECIAL && call.owner.equals(in.file.superName));
            if (receiver != Receiver.OTHER || alike) {
                looked.clear();
                Search search = new Search(targets, ofCompiler);
                find(call, call.owner, search, receiver == Receiver.DELEGATE, 0);
            }
        }
        return targets;
    }

    /** The methods of its supertypes that it overrides. */
    private List<Target> overridden() {
        List<Target> overridden = new ArrayList<>(1);
        looked.clear();
        Call call = new Call(Opcodes.INVOKEVIRTUAL, "", method.name, method.descriptor);
        findAbove(in, call, new Search(overridden, false), true, 0);
        return overridden;
    }

    private static boolean saysTheSame(List<Target> targets, Mark mark) {
        for (Target target : targets) {
            for (Said other : target.in.said(target.method)) {
                if (mark.equalTo(other.mark)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** @param orAbstract whether to include methods without code */
    private void find(Call call, String type, Search search, boolean orAbstract, int depth) {
        boolean again = depth > DEPTH_MAX || !looked.add(type + "." + call.name + call.descriptor);
        ClassMarks at = again ? null : in.of(type);
        if (at == null) {
            return;
        }
        boolean found = false;
        for (TypeFile.Method each : at.file.methods) {
            boolean called = each.name.equals(call.name)
                    && (call.opcode == Opcodes.INVOKEDYNAMIC || each.descriptor.equals(call.descriptor));
            found |= called;
            if (called && each != method && (each.hasCode() || orAbstract)) {
                search.add(at, each);
                through(at.code().of(each.name + each.descriptor), search, depth);
            }
        }
        MethodCode made = at.code().of(call.name + call.descriptor);
        if (!found && made != null) {
            through(made, search, depth);
        } else if (!found && !call.name.equals("<init>")) {
            findAbove(at, call, search, orAbstract, depth + 1);
        }
    }

    /** Continues the search in the methods that a synthetic method or a forwarder calls. */
    private void through(@Nullable MethodCode made, Search search, int depth) {
        if (made != null) {
            for (Call next : made.isSynthetic() ? made.calls() : made.handsOnTo()) {
                if (isNameOf(next.name)) {
                    find(next, next.owner, search, false, depth + 1);
                }
            }
        }
    }

    private void findAbove(ClassMarks at, Call call, Search search, boolean orAbstract, int depth) {
        if (at.file.superName != null) {
            find(call, at.file.superName, search, orAbstract, depth);
        }
        for (String type : at.file.interfaces) {
            if (search.found.isEmpty()) {
                find(call, type, search, orAbstract, depth);
            }
        }
    }

    /** Whether a compiler may have derived one name from the other: {@code m$}, {@code m$extension}, {@code m-impl}. */
    private boolean isNameOf(String called) {
        return isLonger(method.name, called) || isLonger(called, method.name);
    }

    private static boolean isLonger(String name, String longer) {
        return longer.startsWith(name)
                && (longer.length() == name.length()
                        || longer.charAt(name.length()) == '$'
                        || longer.charAt(name.length()) == '-');
    }

    private boolean isProxy() {
        if (in.origin == ClassOrigin.GENERATED) {
            return true;
        }
        if (code == null || code.hasLines || !method.isVirtual()) {
            return false;
        }
        boolean like = false;
        for (Call call : code.handsOnTo()) {
            like |= call.opcode != Opcodes.INVOKESTATIC
                    && call.name.equals(method.name)
                    && call.descriptor.equals(method.descriptor);
        }
        boolean handsOn = like || code.handsMethodOn || in.code().superCalls.contains(method.name + method.descriptor);
        return handsOn && (in.file.isSynthetic() || in.isMadeAtRunTime());
    }
}
