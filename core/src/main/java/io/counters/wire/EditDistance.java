package io.counters.wire;

import java.util.List;
import java.util.Locale;

/** How alike two words are, for messages that suggest the word that was meant. Letters of either case are the same. */
public final class EditDistance {
    private EditDistance() {}

    /** How many characters must be changed, inserted or deleted to turn one word into the other (Levenshtein). */
    public static int of(String a, String b) {
        String from = a.toLowerCase(Locale.ROOT);
        String to = b.toLowerCase(Locale.ROOT);
        int[] row = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int changed = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[to.length()];
    }

    /** The known word with the smallest distance, the first of equals. {@code known} must not be empty. */
    public static String nearest(String word, List<String> known) {
        String nearest = known.get(0);
        for (String candidate : known) {
            if (of(word, candidate) < of(word, nearest)) {
                nearest = candidate;
            }
        }
        return nearest;
    }
}
