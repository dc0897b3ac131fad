package io.counters.collector.history;

import org.jspecify.annotations.Nullable;

/** The file has content that this program never wrote. */
final class DamagedHistory extends RuntimeException {
    private static final long serialVersionUID = 1;

    DamagedHistory(String what) {
        super(what);
    }

    /** The value in a row of the file, which is there in every row of a sound one; throws this if it is missing. */
    static <T> T required(@Nullable T value) {
        if (value == null) {
            throw new DamagedHistory("a row lacks a value");
        }
        return value;
    }
}
