package io.counters.collector.intake;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A command as the grammar of docs/protocol.md has it, by a pattern: a second reading, which knows nothing of the first. */
final class PlainGrammar {
    private static final Pattern COMMAND =
            Pattern.compile("(increment|decrement) ([A-Za-z0-9._/,=-]+)(?: ([0-9]+)(?: ([0-9]+))?)?");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._/-]+(?:,[A-Za-z0-9._/-]+=[A-Za-z0-9._/-]+){0,7}");
    private static final int NAME_CHARS_MAX = 250;

    private PlainGrammar() {}

    /** {@code increment NAME AMOUNT TOTAL}, with the name in canonical form, and -1 for no total; empty for a bad line. */
    static Optional<String> command(String line) {
        Matcher command = COMMAND.matcher(line);
        if (!command.matches() || line.length() > 1024) {
            return Optional.empty();
        }
        String name = command.group(2);
        if (!NAME.matcher(name).matches() || name.length() > NAME_CHARS_MAX) {
            return Optional.empty();
        }
        String[] parts = name.split(",");
        Map<String, String> tags = new TreeMap<>();
        for (int i = 1; i < parts.length; i++) {
            String[] pair = parts[i].split("=");
            if (tags.put(pair[0], pair[1]) != null) {
                return Optional.empty();
            }
        }
        StringBuilder canonical = new StringBuilder(parts[0]);
        tags.forEach(
                (key, value) -> canonical.append(',').append(key).append('=').append(value));
        long amount = number(command.group(3), 1);
        long total = number(command.group(4), -1);
        boolean isGood =
                amount >= 0 && amount <= 1L << 53 && (command.group(4) == null || (total >= 0 && total >= amount));
        return isGood ? Optional.of(command.group(1) + " " + canonical + " " + amount + " " + total) : Optional.empty();
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
