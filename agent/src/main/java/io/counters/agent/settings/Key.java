package io.counters.agent.settings;

import java.util.ArrayList;
import java.util.List;
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
    TAGS,
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

    /** The key that the fewest changed letters lead to, as it is written. */
    static String nearest(String word) {
        List<String> words = new ArrayList<>();
        for (Key key : values()) {
            words.add(key.word());
        }
        return Nearest.of(word, words);
    }
}
