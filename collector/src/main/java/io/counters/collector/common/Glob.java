package io.counters.collector.common;

import java.util.Locale;

/**
 * A pattern of names. {@code *} stands for any characters or none, {@code ?} for one; a pattern without either matches every
 * text that contains it, whatever the case.
 */
public record Glob(String pattern) {
    /** Whether this text has {@code *} or {@code ?}. */
    public static boolean isOne(String text) {
        return text.indexOf('*') >= 0 || text.indexOf('?') >= 0;
    }

    /** What stands before the first {@code *} or {@code ?}. */
    public String prefix() {
        int end = 0;
        while (end < pattern.length() && pattern.charAt(end) != '*' && pattern.charAt(end) != '?') {
            end++;
        }
        return pattern.substring(0, end);
    }

    /** Whether this text matches. */
    public boolean matches(String text) {
        if (!isOne(pattern)) {
            return text.toLowerCase(Locale.ROOT).contains(pattern.toLowerCase(Locale.ROOT));
        }
        int at = 0;
        int star = -1;
        int starEnd = 0;
        int i = 0;
        while (i < text.length()) {
            if (at < pattern.length() && pattern.charAt(at) == '*') {
                star = at++;
                starEnd = i;
            } else if (at < pattern.length() && (pattern.charAt(at) == '?' || pattern.charAt(at) == text.charAt(i))) {
                at++;
                i++;
            } else if (star >= 0) {
                // The last star takes one character more.
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
