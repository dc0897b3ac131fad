package io.counters.collector.settings;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads amounts of memory in settings: {@code 512m}, or {@code 45%} of a larger amount. */
public final class Memory {
    private static final Pattern BYTES = Pattern.compile("(\\d{1,4})(k|m|g)");
    private static final Pattern SHARE = Pattern.compile("(\\d{1,3})%");

    private Memory() {}

    /**
     * Reads an amount of memory.
     *
     * @param text a whole number followed by k, m or g, or 1% to 100%
     * @param all bytes: 100%, and the maximum allowed
     * @return bytes, 1 to {@code all}
     */
    public static long of(String text, long all) {
        Matcher share = SHARE.matcher(text);
        if (share.matches()) {
            long percent = Long.parseLong(share.group(1));
            if (percent >= 1 && percent <= 100) {
                return all / 100 * percent;
            }
        }
        Matcher bytes = BYTES.matcher(text);
        if (bytes.matches()) {
            int shift = switch (bytes.group(2)) {
                case "k" -> 10;
                case "m" -> 20;
                default -> 30;
            };
            long amount = Long.parseLong(bytes.group(1)) << shift;
            if (amount >= 1 && amount <= all) {
                return amount;
            }
        }
        throw new IllegalArgumentException("allowed are 1% to 100%, or a whole number followed by k, m or g, at most "
                + (all >> 20 > 0 ? (all >> 20) + "m" : (all >> 10) + "k"));
    }
}
