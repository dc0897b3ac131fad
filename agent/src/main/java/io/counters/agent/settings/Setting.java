package io.counters.agent.settings;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A value and the place where it stands, for messages. */
public final class Setting {
    private final String place;
    private final String text;

    /** What stood in lines above, each in a place of its own; null if nothing did. */
    private final @Nullable Setting before;

    public Setting(String place, String text) {
        this(place, text, null);
    }

    private Setting(String place, String text, @Nullable Setting before) {
        this.place = place;
        this.text = text;
        this.before = before;
    }

    /** This, with one more line that adds to it. */
    Setting and(String morePlace, String moreText) {
        return new Setting(morePlace, moreText, this);
    }

    /** Its elements, which {@code ;} parts, each with its own place. */
    List<Setting> elements() {
        List<Setting> elements = new ArrayList<>();
        for (Setting line : lines()) {
            for (String element : line.text.split(";", -1)) {
                if (!element.trim().isEmpty()) {
                    elements.add(new Setting(line.place, element.trim()));
                }
            }
        }
        return elements;
    }

    private List<Setting> lines() {
        List<Setting> lines = new ArrayList<>();
        for (Setting line = this; line != null; line = line.before) {
            lines.add(line);
        }
        Collections.reverse(lines);
        return lines;
    }

    /** Such as {@code agent arguments} or {@code counters.conf line 4}. */
    public String place() {
        return place;
    }

    public String text() {
        if (before == null) {
            return text;
        }
        StringBuilder all = new StringBuilder();
        for (Setting line : lines()) {
            all.append(all.length() == 0 ? "" : ";").append(line.text);
        }
        return all.toString();
    }
}
