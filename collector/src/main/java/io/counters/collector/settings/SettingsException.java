package io.counters.collector.settings;

import java.util.List;

/** Settings that can't be started with; the message holds every mistake, a line each. */
public final class SettingsException extends Exception {
    public SettingsException(List<String> mistakes) {
        super(String.join(System.lineSeparator(), mistakes));
    }
}
