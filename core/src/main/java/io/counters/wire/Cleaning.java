package io.counters.wire;

import java.util.Locale;

/** What was done to a StatsD line's name and tags so that they could be stored. One line may have several. */
public enum Cleaning {
    /** A letter of the metric that can't be stored became {@code _}. */
    NAME_LETTER,
    /** A letter of a tag's key or value that can't be stored became {@code _}. */
    TAG_LETTER,
    /** The name held tags in the form of Graphite, Librato, SYSDIG or SignalFx. */
    TAGS_IN_NAME,
    /** A tag without a value got the value {@code true}. */
    TAG_WITHOUT_VALUE,
    /** A tag with an empty key or value was left out, or an empty list of tags. */
    EMPTY_TAG,
    /** The key stood there twice: the later value holds. */
    REPEATED_TAG,
    /** A tag was left out whose key {@code drop_tags} names, or that is always left out. */
    DROPPED_TAG,
    /** A field was empty, as behind a bar at the end of the line. */
    EMPTY_FIELD;

    /** A word for the reason in a counter's name, such as {@code name_letter}. */
    public String reason() {
        return name().toLowerCase(Locale.ROOT);
    }
}
