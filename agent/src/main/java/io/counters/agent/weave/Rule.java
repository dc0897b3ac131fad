package io.counters.agent.weave;

import io.counters.agent.settings.SettingValue;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.bytebuddy.jar.asm.Type;
import org.jspecify.annotations.Nullable;

/**
 * A rule: a mark that is written in the settings.
 *
 * <pre>
 *   [+] pkg.Class[#method[(types)]] [= name] [when]
 *   &#64;pkg.Annotation [pkg.*]         [= name] [when]
 *
 *   *           any characters, also dots, in the name of a class or method: pkg.* is each class in pkg and below. If a
 *               method's name begins with it, or only the class has it, the methods of Object, getters, setters and a
 *               record's accessors do not match
 *   +           also the subtypes of the class; with a method, the methods that override or implement it
 *   #method     if left out, the public methods, as with &#64;Count on the class. #&lt;init&gt; is the constructor
 *   (types)     a,b[],c... as in the source, in full except those of java.lang, without &lt;generics&gt;
 *   when        entry, return, throw or exit
 * </pre>
 *
 * <p>A nested class is {@code pkg.Outer$Nested}.
 */
final class Rule {
    private static final String WHEN = "[= name] [entry|return|throw|exit]";
    private static final String FORM =
            "; a rule is [+] pkg.Class[#method[(types)]] " + WHEN + " or @pkg.Annotation [pkg.*] " + WHEN;

    /** The rule as it is written in the settings. */
    final String text;

    /** Whether it includes subtypes. */
    final boolean subtypes;

    /** The annotation's descriptor; empty for a rule that names classes. */
    final String annotation;

    /** The name of the classes, with slashes and perhaps {@code *}. */
    final String type;

    /** The name of the methods, perhaps with {@code *}; empty for all public ones. */
    final String method;

    /** The method's parameters; null for any. */
    final @Nullable List<String> parameters;

    /** Whether it has neither a name nor a moment; the {@code @Count} on the annotation type then has both. */
    final boolean plain;

    final Mark mark = new Mark();

    /** The annotation of another library that it stands for, whose attributes have the marks; usually null. */
    @Nullable
    Alias alias;

    /** Whether it has matched a class so far. */
    volatile boolean named;

    /** Whether it has matched a method so far. */
    volatile boolean matched;

    private final Set<String> taken = new HashSet<>();
    private boolean full;

    /** @throws IllegalArgumentException if it is not a valid rule; the message is for the log */
    Rule(SettingValue setting) {
        text = setting.text();
        try {
            int equals = text.indexOf('=');
            String left = (equals < 0 ? text : text.substring(0, equals)).trim();
            String[] right = equals < 0
                    ? new String[] {""}
                    : text.substring(equals + 1).trim().split("\\s+", -1);
            require(equals < 0 || !right[0].isEmpty(), "there is no name after =");
            subtypes = left.startsWith("+");
            int open = left.indexOf('(');
            int close = left.indexOf(')', Math.max(open, 0));
            require((open < 0) == (close < 0), "( and ) do not match");
            parameters = open < 0 ? null : types(left.substring(open + 1, close));
            left = open < 0 ? left : left.substring(0, open) + " " + left.substring(close + 1);
            String[] words = left.substring(subtypes ? 1 : 0).trim().split("\\s+", -1);
            boolean isAnnotation = words[0].startsWith("@");
            require(!isAnnotation || !subtypes, "+ includes the subtypes of a class; an annotation has none");
            int used = 1;
            if (isAnnotation) {
                String name = words[0].substring(1);
                require(isName(name, ".-"), "@" + name + " is not an annotation; write its full name, without * and #");
                require(parameters == null, "(types) can only follow a method");
                annotation = "L" + name.replace('.', '/') + ";";
                boolean filtered = words.length > 1 && Moment.of(words[1]) == null;
                used = filtered ? 2 : 1;
                require(!filtered || isName(words[1], ".-*"), words[used - 1] + " is not a class name");
                type = filtered ? words[1].replace('.', '/') : "*";
                method = "";
            } else {
                annotation = "";
                int hash = words[0].indexOf('#');
                String name = hash < 0 ? words[0] : words[0].substring(0, hash);
                require(isName(name, ".-*"), "\"" + name + "\" is not a class name");
                type = name.replace('.', '/');
                method = hash < 0 ? "" : words[0].substring(hash + 1);
                require(
                        hash < 0 || method.equals("<init>") || isName(method, "-*"),
                        "\"" + method + "\" is not a method name");
                require(parameters == null || hash >= 0, "(types) can only follow a method");
            }
            String when = equals < 0 ? word(words, used) : word(right, 1);
            boolean few = equals < 0 ? words.length <= used + 1 : words.length == used && right.length <= 2;
            require(few, "it has too many parts");
            Moment moment = when.isEmpty() ? Moment.ENTRY : Moment.of(when);
            require(moment != null, when + " is not a moment");
            mark.value = right[0];
            mark.when = moment == null ? Moment.ENTRY : moment;
            mark.named = isExact() && !method.isEmpty() && method.indexOf('*') < 0;
            plain = right[0].isEmpty() && when.isEmpty();
        } catch (IllegalArgumentException broken) {
            throw new IllegalArgumentException(
                    setting.place() + ": rule \"" + text + "\" is ignored: " + broken.getMessage() + FORM);
        }
    }

    /** Whether it gives the exact name of one class and matches no other. */
    boolean isExact() {
        return !subtypes && annotation.isEmpty() && type.indexOf('*') < 0;
    }

    /** Whether the rule's pattern matches this class name, which has slashes. The caller must search subtypes. */
    boolean namesType(String name) {
        return matches(type, name);
    }

    /** Whether a method of a matching class matches. Do not call it for a rule that names an annotation. */
    boolean namesMethod(TypeFile.Method candidate) {
        if (method.isEmpty()) {
            return candidate.isOpen() && !(type.indexOf('*') >= 0 && candidate.isEveryday());
        }
        return matches(method, candidate.name)
                && !(method.startsWith("*") && (candidate.isEveryday() || candidate.name.equals("<init>")))
                && hasParameters(candidate.descriptor);
    }

    private boolean hasParameters(String descriptor) {
        if (parameters == null) {
            return true;
        }
        Type[] types = Type.getArgumentTypes(descriptor);
        if (types.length != parameters.size()) {
            return false;
        }
        for (int i = 0; i < types.length; i++) {
            String name = types[i].getClassName();
            if (!name.equals(parameters.get(i)) && !name.equals("java.lang." + parameters.get(i))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Adds a method to those that the rule counts. The answer for a method never changes, so that a class that is
     * instrumented again keeps its counters.
     *
     * @return false if the limit is reached, which is logged once
     */
    synchronized boolean take(String owner, String nameAndDescriptor, int limit, RefusedMarks refusals) {
        matched = true;
        String key = owner + "." + nameAndDescriptor;
        if (taken.size() < limit) {
            taken.add(key);
            return true;
        }
        if (taken.contains(key)) {
            return true;
        }
        if (!full) {
            full = true;
            refusals.refuse("rule \"" + text + "\" has reached its limit (ruleLimit is " + limit + "): "
                    + owner.replace('/', '.') + "." + nameAndDescriptor.substring(0, nameAndDescriptor.indexOf('('))
                    + " and all later methods are not counted by it; match fewer methods, or raise ruleLimit");
        }
        return false;
    }

    /** Whether a text matches a pattern, in which {@code *} stands for any characters or none. */
    static boolean matches(String pattern, String text) {
        int p = 0;
        int t = 0;
        int star = -1;
        int from = 0;
        while (t < text.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                star = p++;
                from = t;
            } else if (p < pattern.length() && pattern.charAt(p) == text.charAt(t)) {
                p++;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++from;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '*') {
            p++;
        }
        return p == pattern.length();
    }

    private static List<String> types(String text) {
        List<String> types = new ArrayList<>();
        if (text.trim().isEmpty()) {
            return types;
        }
        for (String word : text.split(",", -1)) {
            String type = word.trim();
            type = type.endsWith("...") ? type.substring(0, type.length() - 3) + "[]" : type;
            String element = type;
            while (element.endsWith("[]")) {
                element = element.substring(0, element.length() - 2);
            }
            require(
                    isName(element, ".-"),
                    "\"" + word.trim() + "\" is not a type; write types such as java.util.List or int[]");
            types.add(type);
        }
        return types;
    }

    private static boolean isName(String name, String besides) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (!Character.isJavaIdentifierPart(c) && besides.indexOf(c) < 0) {
                return false;
            }
        }
        return !name.isEmpty() && !name.startsWith(".") && !name.endsWith(".") && !name.contains("..");
    }

    private static String word(String[] words, int index) {
        return words.length > index ? words[index] : "";
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
