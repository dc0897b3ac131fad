package io.counters.agent.settings;

/** A value and the place where it stands, for messages. */
public final class Setting {
    private final String place;
    private final String text;

    public Setting(String place, String text) {
        this.place = place;
        this.text = text;
    }

    /** Such as {@code agent arguments} or {@code counters.conf line 4}. */
    public String place() {
        return place;
    }

    public String text() {
        return text;
    }
}
