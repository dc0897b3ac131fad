package io.counters.agent.settings;

import java.util.List;

/** Finds the known word that is most similar to a misspelled one. */
public final class Nearest {
    private Nearest() {}

    /** The known word with the smallest edit distance, the first of equals. {@code known} must not be empty. */
    public static String of(String word, List<String> known) {
        String nearest = known.get(0);
        for (String candidate : known) {
            if (distance(word, candidate) < distance(word, nearest)) {
                nearest = candidate;
            }
        }
        return nearest;
    }

    /** How many characters must be changed, inserted or deleted to turn one word into the other. */
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
