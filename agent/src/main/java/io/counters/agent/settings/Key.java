package io.counters.agent.settings;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What can be set, and what holds where nothing is said; {@code Settings} gives the texts their meaning. */
enum Key {
    COLLECTOR("localhost:11212"),
    SWEEP("1s"),
    DATAGRAM("1432"),
    TOTALS("on"),
    FOLLOW("off"),
    METHODS("none"),
    SETTINGS("none"),
    ENABLED("true"),
    STRICT("false"),
    LOG("stderr"),
    APP("the name of the jar or of the main class"),
    DEBUG("false");

    /** For people. */
    final String byDefault;

    Key(String byDefault) {
        this.byDefault = byDefault;
    }

    /** As it is written. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
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
