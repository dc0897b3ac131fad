package io.counters.agent.settings;

import io.counters.wire.EditDistance;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The agent's settings and their defaults; {@code Settings} interprets the values. */
enum Key {
    COLLECTOR("localhost:11212"),
    SWEEP("1s"),
    DATAGRAM("by address"),
    TOTALS("on"),
    FOLLOW("off"),
    KEY("none"),
    METHODS("none"),
    META_ANNOTATIONS("none"),
    ALIAS("none"),
    INHERIT("false"),
    RULE_LIMIT("500"),
    SETTINGS("none"),
    ENABLED("true"),
    STRICT("false"),
    LOG("stderr"),
    APP("the name of the jar or of the main class"),
    TAGS("none"),
    DEBUG("false");

    /** The default, as {@code debug} prints it. */
    final String byDefault;

    private final String word;

    Key(String byDefault) {
        this.byDefault = byDefault;
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

    /** The key as it is written in the settings, such as {@code ruleLimit}. */
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

    /** The key that is most similar to a word, as it is written in the settings. */
    static String nearest(String word) {
        List<String> words = new ArrayList<>();
        for (Key key : values()) {
            words.add(key.word());
        }
        return EditDistance.nearest(word, words);
    }
}
