package io.counters.collector.commands;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** The table of {@code top}: what it shows, and what each key changes. Independent of the terminal. */
final class TopTable {
    private static final int ESCAPE = 27;
    private static final int BACKSPACE = 8;
    private static final int DELETE = 127;
    private static final int FIXED_LINES = 3;
    private static final int NUMBER_COLUMNS = 21;
    private static final int RATE_COLUMNS = 14;
    private static final int NAME_COLUMNS_MIN = 20;
    private static final int FILTER_CHARS_MAX = 200;

    /** What the rows are sorted by. */
    enum Sort {
        NAME,
        VALUE,
        RATE;

        Comparator<Rates.Row> order() {
            Comparator<Rates.Row> byName = Comparator.comparing(Rates.Row::name);
            return switch (this) {
                case NAME -> byName;
                case VALUE ->
                    Comparator.comparingLong(Rates.Row::value).reversed().thenComparing(byName);
                case RATE ->
                    Comparator.<Rates.Row>comparingDouble(
                                    row -> Math.abs(row.rate().orElse(0)))
                            .reversed()
                            .thenComparing(byName);
            };
        }
    }

    private Sort sort;
    private String filter;
    private boolean isFiltering;
    private int first;

    TopTable(Sort sort, String filter) {
        this.sort = sort;
        this.filter = filter;
    }

    String filter() {
        return filter;
    }

    /** Whether the user is typing the filter. */
    boolean isFiltering() {
        return isFiltering;
    }

    /** The rows, filtered and sorted. */
    List<Rates.Row> sorted(List<Rates.Row> rows) {
        return rows.stream().sorted(sort.order()).toList();
    }

    /**
     * A key, or a sequence that begins with escape.
     *
     * @param page how many rows the keys for pages scroll
     * @return false to quit
     */
    boolean key(String key, int page) {
        if (isFiltering) {
            type(key);
            return true;
        }
        switch (key) {
            case "q", "Q" -> {
                return false;
            }
            case "n" -> sort = Sort.NAME;
            case "v" -> sort = Sort.VALUE;
            case "r" -> sort = Sort.RATE;
            case "/" -> isFiltering = true;
            case "\u001b[A", "\u001bOA", "k" -> first--;
            case "\u001b[B", "\u001bOB", "j" -> first++;
            case "\u001b[5~" -> first -= page;
            case "\u001b[6~", " " -> first += page;
            case "\u001b[H", "g" -> first = 0;
            default -> {
                // Other keys do nothing.
            }
        }
        return true;
    }

    private void type(String key) {
        int letter = key.charAt(0);
        if (letter == '\n' || letter == '\r') {
            isFiltering = false;
        } else if (letter == ESCAPE) {
            if (key.length() == 1) {
                isFiltering = false;
                filter = "";
            }
        } else if (letter == BACKSPACE || letter == DELETE) {
            filter = filter.substring(0, Math.max(0, filter.length() - 1));
        } else if (letter > ' ' && letter < DELETE && filter.length() < FILTER_CHARS_MAX) {
            filter += key;
        }
        first = 0;
    }

    /**
     * The screen.
     *
     * @param note a message, such as that the collector does not answer; may be empty
     */
    List<String> lines(List<Rates.Row> rows, String title, String note, int columns, int height) {
        int room = Math.max(1, height - FIXED_LINES);
        first = Math.max(0, Math.min(first, rows.size() - room));
        List<Rates.Row> shown = sorted(rows).subList(first, Math.min(rows.size(), first + room));
        List<String> lines = new ArrayList<>();
        lines.add(cut(title + (note.isEmpty() ? "" : "  " + note), columns));
        lines.add(cut(
                isFiltering
                        ? "filter: " + filter + "_   Enter keeps it, Esc clears it"
                        : "q quits   n v r sort by name, value, rate   / filters"
                                + (filter.isEmpty() ? "" : ": " + filter) + "   arrows scroll",
                columns));
        // The largest values have 26 characters.
        int numberColumns =
                shown.stream().mapToInt(row -> 1 + number(row.value()).length()).reduce(NUMBER_COLUMNS, Math::max);
        int nameColumns = Math.max(NAME_COLUMNS_MIN, columns - numberColumns - RATE_COLUMNS);
        lines.add(cut(
                row(
                        head("NAME", Sort.NAME),
                        head("VALUE", Sort.VALUE),
                        head("PER SECOND", Sort.RATE),
                        nameColumns,
                        numberColumns),
                columns));
        shown.forEach(row -> lines.add(
                cut(row(row.name(), number(row.value()), rate(row.rate()), nameColumns, numberColumns), columns)));
        return lines;
    }

    private String head(String title, Sort by) {
        return sort == by ? "*" + title : title;
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /** A row with a column that any value without separators fits in. */
    static String row(String name, String value, String rate, int nameColumns) {
        return row(name, value, rate, nameColumns, NUMBER_COLUMNS);
    }

    private static String row(String name, String value, String rate, int nameColumns, int numberColumns) {
        return String.format(
                Locale.ROOT,
                "%-" + nameColumns + "s%" + numberColumns + "s%" + RATE_COLUMNS + "s",
                cut(name, nameColumns),
                value,
                rate);
    }

    static String rate(OptionalDouble rate) {
        return rate.isEmpty() ? "" : String.format(Locale.ROOT, "%,.1f", rate.getAsDouble());
    }

    private static String cut(String text, int columns) {
        return text.length() <= columns ? text : text.substring(0, Math.max(0, columns - 1)) + "~";
    }
}
