package io.counters.agent.weave;

import io.counters.agent.settings.Setting;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.bytebuddy.jar.asm.Type;
import org.jspecify.annotations.Nullable;

/**
 * A mark that stands in the settings.
 *
 * <pre>
 *   [+] pkg.Class[#method[(types)]] [= name] [when]
 *   &#64;pkg.Annotation [pkg.*]         [= name] [when]
 *
 *   *           any letters, dots too, in a class's or method's name: pkg.* is each class in pkg and below. Where a method's
 *               name begins with it, or only the class has it, Object's methods, getters and setters are left out
 *   +           and the class's subtypes: with a method, what overrides or implements it
 *   #method     without it: the public methods, as &#64;Count on the class would have it. #&lt;init&gt; is the constructor
 *   (types)     a,b[],c... as in the source, in full but for java.lang, without &lt;generics&gt;
 *   when        entry, return, throw or exit
 * </pre>
 *
 * <p>A nested class is {@code pkg.Outer$Nested}.
 */
final class Rule {
    private static final String WHEN = "[= name] [entry|return|throw|exit]";
    private static final String FORM =
            "; a rule is [+] pkg.Class[#method[(types)]] " + WHEN + " or @pkg.Annotation [pkg.*] " + WHEN;

    /** As it stands in the settings. */
    final String text;

    /** Whether subtypes are meant too. */
    final boolean subtypes;

    /** The annotation's descriptor; empty for a rule that names classes. */
    final String annotation;

    /** The name of the classes, with slashes and perhaps {@code *}. */
    final String type;

    /** The name of the methods, perhaps with {@code *}; empty for all public ones. */
    final String method;

    /** The method's parameters; null for any. */
    final @Nullable List<String> parameters;

    /** Whether it leaves name and moment to the {@code @Count} on its annotation. */
    final boolean plain;

    final Mark mark = new Mark();

    /** Whether it has named a class so far. */
    volatile boolean named;

    /** Whether it has named a method so far. */
    volatile boolean matched;

    private final Set<String> taken = new HashSet<>();
    private boolean full;

    /** @throws IllegalArgumentException if it is no rule; the message is for the log */
    Rule(Setting setting) {
        text = setting.text();
        try {
            int equals = text.indexOf('=');
            String left = (equals < 0 ? text : text.substring(0, equals)).trim();
            String[] right = equals < 0
                    ? new String[] {""}
                    : text.substring(equals + 1).trim().split("\\s+", -1);
            require(equals < 0 || !right[0].isEmpty(), "there is no name behind =");
            subtypes = left.startsWith("+");
            int open = left.indexOf('(');
            int close = left.indexOf(')', Math.max(open, 0));
            require((open < 0) == (close < 0), "a ( or ) stands alone");
            parameters = open < 0 ? null : types(left.substring(open + 1, close));
            left = open < 0 ? left : left.substring(0, open) + " " + left.substring(close + 1);
            String[] words = left.substring(subtypes ? 1 : 0).trim().split("\\s+", -1);
            boolean isAnnotation = words[0].startsWith("@");
            require(!isAnnotation || !subtypes, "+ takes the subtypes of a class, not of an annotation");
            int used = 1;
            if (isAnnotation) {
                String name = words[0].substring(1);
                require(isName(name, ".-"), "@" + name + " names no annotation; write it in full, without * and #");
                require(parameters == null, "(types) stand behind a method");
                annotation = "L" + name.replace('.', '/') + ";";
                boolean filtered = words.length > 1 && Moment.of(words[1]) == null;
                used = filtered ? 2 : 1;
                require(!filtered || isName(words[1], ".-*"), words[used - 1] + " names no class");
                type = filtered ? words[1].replace('.', '/') : "*";
                method = "";
            } else {
                annotation = "";
                int hash = words[0].indexOf('#');
                String name = hash < 0 ? words[0] : words[0].substring(0, hash);
                require(isName(name, ".-*"), "\"" + name + "\" names no class");
                type = name.replace('.', '/');
                method = hash < 0 ? "" : words[0].substring(hash + 1);
                require(
                        hash < 0 || method.equals("<init>") || isName(method, "-*"),
                        "\"" + method + "\" names no method");
                require(parameters == null || hash >= 0, "(types) stand behind a method");
            }
            String when = equals < 0 ? word(words, used) : word(right, 1);
            boolean few = equals < 0 ? words.length <= used + 1 : words.length == used && right.length <= 2;
            require(few, "it has a part too many");
            Moment moment = when.isEmpty() ? Moment.ENTRY : Moment.of(when);
            require(moment != null, when + " is no moment");
            mark.value = right[0];
            mark.when = moment == null ? Moment.ENTRY : moment;
            mark.named = isExact() && !method.isEmpty() && method.indexOf('*') < 0;
            plain = right[0].isEmpty() && when.isEmpty();
        } catch (IllegalArgumentException broken) {
            throw new IllegalArgumentException(
                    setting.place() + ": rule \"" + text + "\" is left out: " + broken.getMessage() + FORM);
        }
    }

    /** Whether one class is named, letter by letter, and nothing beside it. */
    boolean isExact() {
        return !subtypes && annotation.isEmpty() && type.indexOf('*') < 0;
    }

    /** Whether a class of this name, with slashes, is meant; subtypes are the caller's to find. */
    boolean namesType(String name) {
        return matches(type, name);
    }

    /** Whether a method is meant, if its class is. Never for a rule that names an annotation. */
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
     * Takes a method in; always the same answer for the same method, so that a class that is woven again keeps its
     * counts.
     *
     * @return false beyond the limit, which is said once
     */
    synchronized boolean take(String owner, String nameAndDescriptor, int limit, Refusals refusals) {
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
            refusals.refuse("rule \"" + text + "\" stops at " + limit + " methods: the next, "
                    + owner.replace('/', '.') + "." + nameAndDescriptor.substring(0, nameAndDescriptor.indexOf('('))
                    + ", and all that follow are not counted by it; name fewer, or raise ruleLimit");
        }
        return false;
    }

    /** Whether a text is what a pattern says, where {@code *} is any letters, none too. */
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
            require(isName(element, ".-"), "\"" + word.trim() + "\" is no type; write it like java.util.List or int[]");
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
