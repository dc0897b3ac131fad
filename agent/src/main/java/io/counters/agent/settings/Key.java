package io.counters.agent.settings;

import org.jspecify.annotations.Nullable;

/** What can be set. */
enum Key {
    COLLECTOR,
    SWEEP,
    DATAGRAM,
    TOTALS,
    FOLLOW,
    METHODS,
    META_ANNOTATIONS,
    INHERIT,
    RULE_LIMIT,
    SETTINGS,
    ENABLED,
    STRICT,
    LOG,
    APP,
    DEBUG;

    private final String word;

    Key() {
        StringBuilder letters = new StringBuilder();
        boolean capital = false;
        for (int i = 0; i < name().length(); i++) {
            char letter = name().charAt(i);
            if (letter != '_') {
                letters.append(capital ? letter : Character.toLowerCase(letter));
            }
            capital = letter == '_';
        }
        word = letters.toString();
    }

    /** As it is written, such as {@code ruleLimit}. */
    String word() {
        return word;
    }

    static @Nullable Key of(String word) {
        for (Key key : values()) {
            if (key.word().equals(word)) {
                return key;
            }
        }
        return null;
    }

    /** The key that the fewest changed letters lead to. */
    static Key nearest(String word) {
        Key nearest = COLLECTOR;
        for (Key key : values()) {
            if (distance(word, key.word()) < distance(word, nearest.word())) {
                nearest = key;
            }
        }
        return nearest;
    }

    private static int distance(String a, String b) {
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
