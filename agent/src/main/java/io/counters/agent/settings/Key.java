package io.counters.agent.settings;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What can be set. */
enum Key {
    COLLECTOR,
    SWEEP,
    DATAGRAM,
    TOTALS,
    FOLLOW,
    METHODS,
    SETTINGS,
    ENABLED,
    STRICT,
    LOG,
    APP,
    TAGS,
    DEBUG;

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

    /** The key that the fewest changed letters lead to, as it is written. */
    static String nearest(String word) {
        List<String> words = new ArrayList<>();
        for (Key key : values()) {
            words.add(key.word());
        }
        return Nearest.of(word, words);
    }
}
