package io.counters.agent.weave;

import io.counters.agent.settings.Setting;

/**
 * A mark that stands in the settings: {@code pkg.Class[#method] [= name] [when]}.
 *
 * <p>A nested class is written {@code pkg.Outer$Nested}, a constructor {@code #<init>}; {@code when} is entry, return,
 * throw or exit. Without a method it stands for the class's public methods, as {@code @Count} on the class would.
 */
final class Rule {
    private static final String FORM = "; a rule is pkg.Class[#method] [= name] [entry|return|throw|exit]";

    /** As it stands in the settings. */
    final String text;

    /** The class's name with slashes. */
    final String owner;

    /** The method's name; empty for all public ones. */
    final String method;

    final Mark mark = new Mark();

    /** Whether it has named anything so far. */
    volatile boolean matched;

    /** @throws IllegalArgumentException if it is no rule; the message is for the log */
    Rule(Setting setting) {
        text = setting.text();
        int equals = text.indexOf('=');
        String[] left = (equals < 0 ? text : text.substring(0, equals)).trim().split("\\s+", -1);
        String[] right =
                equals < 0 ? new String[0] : text.substring(equals + 1).trim().split("\\s+", -1);
        if (text.startsWith("+") || text.startsWith("@") || left[0].contains("*") || left[0].contains("(")) {
            throw new IllegalArgumentException(
                    setting.place() + ": rule \"" + text + "\" is left out: +, @, * and (types) come later" + FORM);
        }
        int hash = left[0].indexOf('#');
        String type = hash < 0 ? left[0] : left[0].substring(0, hash);
        method = hash < 0 ? "" : left[0].substring(hash + 1);
        String whenWord = equals < 0 ? second(left) : second(right);
        Moment when = whenWord.isEmpty() ? Moment.ENTRY : Moment.of(whenWord);
        boolean names = isName(type, true) && (hash < 0 || method.equals("<init>") || isName(method, false));
        boolean parts = equals < 0 ? left.length <= 2 : left.length == 1 && right.length <= 2 && !right[0].isEmpty();
        if (!names || !parts || when == null) {
            throw new IllegalArgumentException(setting.place() + ": rule \"" + text + "\" is left out: "
                    + (!names ? left[0] + " names no class or method" : "it has a part too many, or an unknown moment")
                    + FORM);
        }
        owner = type.replace('.', '/');
        mark.value = equals < 0 ? "" : right[0];
        mark.when = when;
        mark.named = !method.isEmpty();
    }

    private static String second(String[] words) {
        return words.length > 1 ? words[1] : "";
    }

    private static boolean isName(String name, boolean dots) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (!Character.isJavaIdentifierPart(c) && !(c == '-' || (c == '.' && dots))) {
                return false;
            }
        }
        return !name.isEmpty();
    }
}
