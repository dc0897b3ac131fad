package io.counters.collector.intake;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A line as the grammar of docs/protocol.md has it, by a pattern: a second reading, which knows nothing of the first. What it
 * counts is said as {@code increment NAME AMOUNT TOTAL}, with the name in canonical form, and -1 for no total; the amount of a
 * StatsD line may be a decimal.
 */
final class PlainGrammar {
    private static final String WORD = "[A-Za-z0-9._/-]+";
    private static final String NUMBER = "[+-]?(?:[0-9]++(?:\\.[0-9]*+)?|\\.[0-9]++)(?:[eE][+-]?[0-9]{1,3})?";
    private static final Pattern COMMAND =
            Pattern.compile("(increment|decrement) ([A-Za-z0-9._/,=-]+)(?: ([0-9]+)(?: ([0-9]+))?)?");

    /** Name, values, rate and tags. Names that need cleaning, and other fields, are not read here. */
    private static final Pattern STATSD = Pattern.compile("(" + WORD + "(?:," + WORD + "=" + WORD + ")*):(" + NUMBER
            + "(?::"
            + NUMBER + ")*)\\|c(?:\\|@(" + NUMBER + "))?(?:\\|#(" + WORD + ":" + WORD + "(?:," + WORD + ":" + WORD
            + ")*))?[ \\t\\r\\x00]*");

    private static final Pattern NAME = Pattern.compile(WORD + "(?:," + WORD + "=" + WORD + "){0,7}");
    private static final int NAME_CHARS_MAX = 250;
    private static final int LINE_CHARS_MAX = 1024;
    private static final BigDecimal AMOUNT_MAX = BigDecimal.valueOf(1L << 53);

    /** The collector counts in steps of 10^-18, and rounds up. */
    private static final int STEP_DIGITS = 18;

    private PlainGrammar() {}

    /** Whether this grammar says what the line is: every line without a colon, and every plain StatsD line. */
    static boolean covers(String line) {
        return line.indexOf(':') < 0
                || line.startsWith("increment ")
                || line.startsWith("decrement ")
                || STATSD.matcher(line).matches();
    }

    /** What a line counts that it {@link #covers}; empty for a line that counts nothing. */
    static Optional<String> read(String line) {
        Matcher statsd = STATSD.matcher(line);
        return statsd.matches() ? statsd(statsd) : command(line);
    }

    private static Optional<String> command(String line) {
        Matcher command = COMMAND.matcher(line);
        if (!command.matches() || line.length() > LINE_CHARS_MAX) {
            return Optional.empty();
        }
        long amount = number(command.group(3), 1);
        long total = number(command.group(4), -1);
        boolean isGood =
                amount >= 0 && amount <= 1L << 53 && (command.group(4) == null || (total >= 0 && total >= amount));
        return isGood
                ? canonical(command.group(2)).map(name -> command.group(1) + " " + name + " " + amount + " " + total)
                : Optional.empty();
    }

    private static Optional<String> statsd(Matcher line) {
        String name = line.group(1);
        String[] values = line.group(2).split(":", 0);
        boolean isTooLong = line.group().length() > LINE_CHARS_MAX;
        // A name with tags ends at the last colon, so what is before that would be a part of a tag.
        if (isTooLong || (name.indexOf(',') >= 0 && values.length > 1)) {
            return Optional.empty();
        }
        BigDecimal rate = line.group(3) == null ? BigDecimal.ONE : new BigDecimal(line.group(3));
        boolean isSigned = line.group(3) != null && line.group(3).startsWith("-");
        if (isSigned || rate.signum() == 0 || rate.compareTo(BigDecimal.ONE) > 0) {
            return Optional.empty();
        }
        BigDecimal sum = BigDecimal.ZERO;
        for (String value : values) {
            BigDecimal count = new BigDecimal(value).divide(rate, STEP_DIGITS, RoundingMode.CEILING);
            if (count.abs().compareTo(AMOUNT_MAX) > 0) {
                return Optional.empty();
            }
            sum = sum.add(count);
        }
        BigDecimal all = sum;
        String tags = line.group(4) == null ? "" : "," + line.group(4).replace(':', '=');
        return canonical(name + tags).map(whole -> said(whole, all));
    }

    /** A StatsD line as a command. */
    static String said(String name, BigDecimal amount) {
        return (amount.signum() < 0 ? "decrement " : "increment ") + name + " "
                + amount.abs().stripTrailingZeros().toPlainString() + " -1";
    }

    /** A name with its tags in order; empty if it breaks a rule. */
    private static Optional<String> canonical(String name) {
        if (!NAME.matcher(name).matches() || name.length() > NAME_CHARS_MAX) {
            return Optional.empty();
        }
        String[] parts = name.split(",", 0);
        Map<String, String> tags = new TreeMap<>();
        for (int i = 1; i < parts.length; i++) {
            String[] pair = parts[i].split("=", 0);
            if (tags.put(pair[0], pair[1]) != null) {
                return Optional.empty();
            }
        }
        StringBuilder canonical = new StringBuilder(parts[0]);
        tags.forEach(
                (key, value) -> canonical.append(',').append(key).append('=').append(value));
        return Optional.of(canonical.toString());
    }

    /** -2 for what is more than 2^63-1. */
    private static long number(@Nullable String digits, long otherwise) {
        if (digits == null) {
            return otherwise;
        }
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException tooLarge) {
            return -2;
        }
    }
}
