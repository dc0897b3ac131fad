package io.counters.collector.commands;

/** Text from outside, as a terminal may show it. */
final class Escaped {
    private Escaped() {}

    /** Writes characters that would move the cursor, begin a line, or hide or reorder others as {@code \\u001b}. */
    static String text(String text) {
        StringBuilder shown = new StringBuilder(text.length());
        text.codePoints().forEach(letter -> {
            switch (Character.getType(letter)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.PRIVATE_USE,
                        Character.UNASSIGNED,
                        Character.SURROGATE -> shown.append(String.format("\\u%04x", letter));
                default -> shown.appendCodePoint(letter);
            }
        });
        return shown.toString();
    }
}
