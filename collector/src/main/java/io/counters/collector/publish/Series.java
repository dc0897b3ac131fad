package io.counters.collector.publish;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * How a counter's name becomes a time series: with a prefix before the metric, and with tags added to those of the name.
 * OpenTSDB needs at least one tag and accepts {@value #TAGS_MAX}; a name has at most 7.
 *
 * @param prefix may be empty
 * @param tags at least one, added in this order as far as there is room; if a name has the same key, the name's value is
 *     used
 */
public record Series(String prefix, List<Tag> tags) {
    static final int TAGS_MAX = 8;

    /**
     * Begins the key of a counter's own tag that is equal to an added one, where the added one must be a tag of its own: so a
     * counter that has it and one that has not are never the same series. Prometheus does the same when it scrapes.
     */
    static final String EXPORTED = "exported_";

    /** An added tag. */
    public record Tag(String key, String value) {}

    public Series {
        tags = List.copyOf(tags);
    }

    /** The tags that are added to this name, in canonical form. Usually these are all tags, and nothing is allocated. */
    public List<Tag> added(String name) {
        int comma = name.indexOf(',');
        if (comma < 0) {
            return tags;
        }
        int own = (int) name.chars().filter(c -> c == ',').count();
        boolean all = own + tags.size() <= TAGS_MAX;
        for (int i = 0; all && i < tags.size(); i++) {
            all = !hasKey(name, tags.get(i).key());
        }
        if (all) {
            return tags;
        }
        List<Tag> added = new ArrayList<>();
        for (Tag tag : tags) {
            if (own + added.size() < TAGS_MAX && !hasKey(name, tag.key())) {
                added.add(tag);
            }
        }
        return Collections.unmodifiableList(added);
    }

    private static boolean hasKey(String name, String key) {
        for (int at = name.indexOf(','); at >= 0; at = name.indexOf(',', at + 1)) {
            if (name.startsWith(key, at + 1) && name.startsWith("=", at + 1 + key.length())) {
                return true;
            }
        }
        return false;
    }
}
