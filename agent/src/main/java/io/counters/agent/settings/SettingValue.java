package io.counters.agent.settings;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A value of a setting, and the place where it was set, for messages. */
public final class SettingValue {
    private final String place;
    private final String text;

    /** The value of the previous line with the same key, which has its own place; null if this is the first. */
    private final @Nullable SettingValue before;

    public SettingValue(String place, String text) {
        this(place, text, null);
    }

    private SettingValue(String place, String text, @Nullable SettingValue before) {
        this.place = place;
        this.text = text;
        this.before = before;
    }

    /** This setting with one more line. */
    SettingValue and(String morePlace, String moreText) {
        return new SettingValue(morePlace, moreText, this);
    }

    /** Its elements, which {@code ;} separates, each with its own place. */
    List<SettingValue> elements() {
        List<SettingValue> elements = new ArrayList<>();
        for (SettingValue line : lines()) {
            for (String element : line.text.split(";", -1)) {
                if (!element.trim().isEmpty()) {
                    elements.add(new SettingValue(line.place, element.trim()));
                }
            }
        }
        return elements;
    }

    private List<SettingValue> lines() {
        List<SettingValue> lines = new ArrayList<>();
        for (SettingValue line = this; line != null; line = line.before) {
            lines.add(line);
        }
        Collections.reverse(lines);
        return lines;
    }

    /** Where it was set, such as {@code agent arguments} or {@code counters.conf line 4}. */
    public String place() {
        return place;
    }

    public String text() {
        if (before == null) {
            return text;
        }
        StringBuilder all = new StringBuilder();
        for (SettingValue line : lines()) {
            all.append(all.length() == 0 ? "" : ";").append(line.text);
        }
        return all.toString();
    }
}
