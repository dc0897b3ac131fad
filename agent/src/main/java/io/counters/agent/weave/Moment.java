package io.counters.agent.weave;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code Count.When}, which is not on the agent's class path. */
enum Moment {
    ENTRY,
    RETURN,
    THROW,
    EXIT;

    static @Nullable Moment of(String word) {
        for (Moment moment : values()) {
            if (moment.name().equals(word.toUpperCase(Locale.ROOT))) {
                return moment;
            }
        }
        return null;
    }
}
