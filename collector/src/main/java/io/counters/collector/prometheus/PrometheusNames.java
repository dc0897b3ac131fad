package io.counters.collector.prometheus;

/**
 * The names of metrics and labels, as Prometheus allows them: letters, digits and underscores, no digit first.
 *
 * <p>A plain name has an underscore for each character that is not allowed, so several names have the same plain name. An
 * escaped name is Prometheus' own escaping of names ({@code U__} and each other character as {@code _HEX_}), and different
 * for different names. No plain name begins with {@code U__}.
 */
public final class PrometheusNames {
    public static final String TOTAL = "_total";
    static final String CREATED = "_created";
    private static final String ESCAPED = "U__";

    private PrometheusNames() {}

    /** The name of a metric, without {@code _total} at its end, because each counter's sample gets that. */
    public static String plainMetric(String metric) {
        String plain = plain(metric);
        return plain.endsWith(TOTAL) && plain.length() > TOTAL.length()
                ? plain.substring(0, plain.length() - TOTAL.length())
                : plain;
    }

    /** The name of a label. */
    public static String plain(String text) {
        StringBuilder plain = new StringBuilder(text.length() + 1);
        appendPlain(text, 0, text.length(), plain);
        return plain.toString();
    }

    /** Appends the plain name of {@code text[from, to)}. */
    public static void appendPlain(String text, int from, int to, StringBuilder out) {
        if (isDigit(text.charAt(from))) {
            out.append('_');
        }
        for (int i = from; i < to; i++) {
            out.append(isLetterOrDigit(text.charAt(i)) ? text.charAt(i) : '_');
        }
    }

    /** Whether a metric must be escaped, whatever the others are called. */
    static boolean needsEscaping(String metric) {
        return metric.startsWith(ESCAPED);
    }

    /** Whether a label must be escaped: Prometheus removes labels that begin with two underscores. */
    public static boolean labelNeedsEscaping(String key) {
        return key.startsWith(ESCAPED) || plain(key).startsWith("__");
    }

    /** Whether the plain name of a label is the key itself, and belongs to no other key. */
    static boolean isLabel(String name, int from, int to) {
        if (isDigit(name.charAt(from)) || name.startsWith("__", from) || name.startsWith(ESCAPED, from)) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (!isLetterOrDigit(name.charAt(i)) && name.charAt(i) != '_') {
                return false;
            }
        }
        return true;
    }

    /** The escaped name, which is different for each name. */
    public static String escaped(String text) {
        StringBuilder escaped = new StringBuilder(ESCAPED);
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (letter == '_') {
                escaped.append("__");
            } else if (isLetterOrDigit(letter) && !(i == 0 && isDigit(letter))) {
                escaped.append(letter);
            } else {
                escaped.append('_').append(Integer.toHexString(letter)).append('_');
            }
        }
        return escaped.toString();
    }

    private static boolean isLetterOrDigit(char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || isDigit(letter);
    }

    private static boolean isDigit(char letter) {
        return letter >= '0' && letter <= '9';
    }
}
