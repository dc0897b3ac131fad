package io.counters.collector.query;

import io.counters.collector.http.Request;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/**
 * Which values of a tag are accepted. A series without the tag is rejected by every filter except {@code not_key}.
 *
 * @param text compared with the value, by the type's rules
 * @param isGroupBy whether the series of each value form a group
 */
record Filter(Type type, String key, String text, boolean isGroupBy) {
    private static final int TEXT_MAX = 4_000;

    /** How the text of a filter is compared. */
    enum Type {
        LITERAL_OR("Accepts the listed values, separated by |.", "web01|web02"),
        ILITERAL_OR("Accepts the listed values, separated by |; case does not matter.", "web01|web02"),
        NOT_LITERAL_OR("Accepts all values except the listed ones, separated by |.", "web01|web02"),
        NOT_ILITERAL_OR(
                "Accepts all values except the listed ones, separated by |; case does not matter.", "web01|web02"),
        WILDCARD("Accepts values that match; * stands for any characters or none.", "web*.fra"),
        IWILDCARD("Accepts values that match; * stands for any characters or none; case does not matter.", "web*.fra"),
        REGEXP("Accepts values of which some part matches the regular expression.", "web0[1-3]"),
        NOT_KEY("Accepts series that do not have the tag. Its filter is empty.", "");

        final String description;
        private final String example;

        Type(String description, String example) {
            this.description = description;
            this.example = example;
        }

        /** The type's name in the API. */
        String id() {
            return name().toLowerCase(Locale.ROOT);
        }

        String examples() {
            return "host=" + id() + "(" + example + ")  {\"type\":\"" + id() + "\",\"tagk\":\"host\",\"filter\":\""
                    + example + "\",\"groupBy\":false}";
        }
    }

    /** @throws IllegalArgumentException when it breaks a rule; the message gives the rule */
    Filter {
        if (key.isEmpty()) {
            throw new IllegalArgumentException("it has no tagk; name the tag");
        }
        if (text.length() > TEXT_MAX) {
            throw new IllegalArgumentException(
                    "its text has " + text.length() + " characters; at most " + TEXT_MAX + " are allowed");
        }
        boolean isText = !text.isEmpty() && !text.equals("|");
        switch (type) {
            case NOT_KEY -> check(text.isEmpty(), "its filter must be empty for not_key");
            case WILDCARD, IWILDCARD -> check(text.contains("*"), "a wildcard must contain an asterisk");
            case REGEXP -> check(isText && isPattern(text), "it is not a regular expression of Java");
            default -> check(isText, "it must name a value");
        }
    }

    private static void check(boolean isGood, String rule) {
        if (!isGood) {
            throw new IllegalArgumentException(rule);
        }
    }

    private static boolean isPattern(String text) {
        try {
            return !Pattern.compile(text).pattern().isEmpty();
        } catch (PatternSyntaxException | StackOverflowError no) {
            return false;
        }
    }

    /**
     * The filter that a tag's value in a query means, which also groups: {@code *}, {@code web*}, {@code web01|web02},
     * {@code regexp(web.*)}.
     *
     * @throws IllegalArgumentException when it is not a filter
     */
    static Filter ofTag(String key, String text, boolean isGroupBy) {
        int bracket = text.indexOf('(');
        if (bracket < 0) {
            Type type = text.equals("*") ? Type.WILDCARD : text.contains("*") ? Type.IWILDCARD : Type.LITERAL_OR;
            return new Filter(type, key, text, isGroupBy);
        }
        String id = text.substring(0, bracket).toLowerCase(Locale.ROOT);
        check(text.endsWith(")"), "it must end with )");
        return new Filter(type(id), key, text.substring(bracket + 1, text.length() - 1), isGroupBy);
    }

    /** @throws IllegalArgumentException when there is no such type */
    static Type type(String id) {
        for (Type type : Type.values()) {
            if (type.id().equals(id)) {
                return type;
            }
        }
        throw new IllegalArgumentException(
                "its type is " + Request.shown(id) + "; /api/config/filters lists all types");
    }

    /** Which series it accepts, by their tags. */
    Predicate<Map<String, String>> taker(Budget budget) {
        if (type == Type.NOT_KEY) {
            return tags -> !tags.containsKey(key);
        }
        Predicate<String> values = values(budget);
        return tags -> {
            String value = tags.get(key);
            return value != null && values.test(value);
        };
    }

    private Predicate<String> values(Budget budget) {
        return switch (type) {
            case LITERAL_OR -> literals(text)::contains;
            case NOT_LITERAL_OR -> Predicate.not(literals(text)::contains);
            case ILITERAL_OR -> lower(literals(lower(text))::contains);
            case NOT_ILITERAL_OR -> Predicate.not(lower(literals(lower(text))::contains));
            case WILDCARD -> wildcard(text);
            case IWILDCARD -> lower(wildcard(lower(text)));
            case REGEXP -> regexp(budget);
            case NOT_KEY -> value -> false;
        };
    }

    private static String lower(String any) {
        return any.toLowerCase(Locale.ROOT);
    }

    private static Predicate<String> lower(Predicate<String> values) {
        return value -> values.test(lower(value));
    }

    private static Set<String> literals(String text) {
        return Arrays.stream(text.split("\\|", -1))
                .filter(literal -> !literal.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
    }

    /** The values that it lists, if its type compares them exactly; else empty. */
    Set<String> values() {
        return type == Type.LITERAL_OR ? literals(text) : Set.of();
    }

    /** As OpenTSDB does: the text between asterisks may be anywhere, unless just one end has an asterisk. */
    private static Predicate<String> wildcard(String glob) {
        boolean isOpenFirst = glob.startsWith("*");
        boolean isOpenLast = glob.endsWith("*");
        String[] parts = glob.replaceAll("^\\*+|\\*+$", "").split("\\*", -1);
        return value -> {
            if (isOpenLast && !isOpenFirst && !value.startsWith(parts[0])) {
                return false;
            }
            if (isOpenFirst && !isOpenLast && !value.endsWith(parts[parts.length - 1])) {
                return false;
            }
            int from = 0;
            for (String part : parts) {
                if (value.indexOf(part, from) < 0) {
                    return false;
                }
                from += part.length();
            }
            return true;
        };
    }

    private Predicate<String> regexp(Budget budget) {
        Pattern pattern = Pattern.compile(text);
        return value -> pattern.matcher(new Watched(value, budget)).find();
    }

    /** A value that limits the time that a regular expression may spend on it. */
    private static final class Watched implements CharSequence {
        private static final int UNWATCHED = 10_000;

        private final CharSequence value;
        private final Budget budget;
        private int reads;

        Watched(CharSequence value, Budget budget) {
            this.value = value;
            this.budget = budget;
        }

        @Override
        public char charAt(int index) {
            if (++reads % UNWATCHED == 0) {
                budget.check();
            }
            return value.charAt(index);
        }

        @Override
        public int length() {
            return value.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return value.subSequence(start, end);
        }

        @Override
        public String toString() {
            return value.toString();
        }
    }
}
