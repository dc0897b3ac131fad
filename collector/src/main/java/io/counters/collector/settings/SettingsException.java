package io.counters.collector.settings;

import java.util.List;

/** Settings that can't be started with; the message holds every mistake, a line each. */
public final class SettingsException extends Exception {
    private final transient List<String> mistakes;

    public SettingsException(List<String> mistakes) {
        super(String.join(System.lineSeparator(), mistakes));
        this.mistakes = List.copyOf(mistakes);
    }

    /** Every mistake, in the order they were found. */
    public List<String> mistakes() {
        return mistakes;
    }
}
