package io.counters.collector.prometheus;

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

    /** When the rest does not match, the last {@code *} takes one character more. */
    private static boolean matches(String pattern, String name) {
        int at = 0;
        int star = -1;
        int starEnd = 0;
        int i = 0;
        while (i < name.length()) {
            if (at < pattern.length() && pattern.charAt(at) == '*') {
                star = at++;
                starEnd = i;
            } else if (at < pattern.length() && pattern.charAt(at) == name.charAt(i)) {
                at++;
                i++;
            } else if (star >= 0) {
                at = star + 1;
                i = ++starEnd;
            } else {
                return false;
            }
        }
        while (at < pattern.length() && pattern.charAt(at) == '*') {
            at++;
        }
        return at == pattern.length();
    }
}
