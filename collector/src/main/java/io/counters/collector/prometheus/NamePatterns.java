package io.counters.collector.prometheus;

import io.counters.collector.common.Glob;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import io.counters.wire.NameReader;
import java.util.List;

/**
 * Patterns of names without tags, in which {@code *} stands for any characters, or none.
 *
 * @param patterns a name matches if it matches one of them; without any, every name matches
 */
record NamePatterns(List<String> patterns) {
    /** @throws RequestException when one of them could not match any name */
    NamePatterns {
        patterns = List.copyOf(patterns);
        for (String pattern : patterns) {
            if (pattern.isEmpty() || !pattern.chars().allMatch(NamePatterns::isAllowed)) {
                throw RequestException.bad("the parameter match is " + Request.shown(pattern)
                        + "; it must be a counter's name without tags, in which * stands for any characters, such as"
                        + " orders.*");
            }
        }
    }

    private static boolean isAllowed(int letter) {
        return letter == '*' || (letter < 0x80 && NameReader.isLetter((byte) letter));
    }

    boolean match(String name) {
        return patterns.isEmpty() || patterns.stream().anyMatch(pattern -> matches(pattern, name));
    }

    private static boolean matches(String pattern, String name) {
        return Glob.isOne(pattern) ? new Glob(pattern).matches(name) : pattern.equals(name);
    }
}
