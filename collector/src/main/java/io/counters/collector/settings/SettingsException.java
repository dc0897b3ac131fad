package io.counters.collector.settings;

import java.util.List;

/** Thrown for wrong settings; the message lists every error, one on each line. */
public final class SettingsException extends Exception {
    private final transient List<String> mistakes;

    public SettingsException(List<String> mistakes) {
        super(String.join(System.lineSeparator(), mistakes));
        this.mistakes = List.copyOf(mistakes);
    }

    /** Every error, in the order in which they were found. */
    public List<String> mistakes() {
        return mistakes;
    }
}
