package io.counters.collector.ledger;

import java.util.Locale;

/** The tables whose rows have a check, in their column {@code crc}. */
enum CheckedTable {
    COUNTER(1, "id, name"),
    BLOCK(2, "id, numbers, claimed"),
    REST(3, "block, numbers"),
    FACT(4, "block, created, decremented, removed, adopted"),
    MOVED(5, "block, seconds"),
    STREAM(
            6,
            "id, sender, whole, quarantined, heard_listening, seq_before, seq_highest, received, repeated, seq_window,"
                    + " healed, watermarks, uncounted"),
    WATERMARK(7, "stream, counter, increments, decrements"),
    UNCOUNTED(8, "stream, counter, amount"),
    PUBLISHED(9, "first, last, step");

    /** Is part of each check, so it never changes; from 1. */
    final int number;

    /** All others than the check, in the order in which they are part of it. */
    final String columns;

    private final String text;

    CheckedTable(int number, String columns) {
        this.number = number;
        this.columns = columns;
        text = name().toLowerCase(Locale.ROOT);
    }

    /** The key of the number of its rows in the table meta; not every table has one. */
    String rows() {
        return "rows." + text;
    }

    /** Its name in the file. */
    @Override
    public String toString() {
        return text;
    }
}
