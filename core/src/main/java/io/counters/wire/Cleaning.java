package io.counters.wire;

import java.util.Locale;

/**
 * What was changed in a StatsD line's name and tags so that they could be stored. One line may have several changes.
 */
public enum Cleaning {
    /** A character of the metric that cannot be stored became {@code _}. */
    NAME_LETTER,
    /** A character of a tag's key or value that cannot be stored became {@code _}. */
    TAG_LETTER,
    /** The name contained tags in the form of Graphite, Librato, SYSDIG or SignalFx. */
    TAGS_IN_NAME,
    /** A tag without a value got the value {@code true}. */
    TAG_WITHOUT_VALUE,
    /** A tag with an empty key or value, or an empty list of tags, was left out. */
    EMPTY_TAG,
    /** A key appeared more than once; the later value is used. */
    REPEATED_TAG,
    /** A tag was left out, because {@code drop_tags} names its key or because that tag is always left out. */
    DROPPED_TAG,
    /** An empty field, such as after a bar at the end of the line, was ignored. */
    EMPTY_FIELD;

    /** The reason as a metric's label, such as {@code name_letter}. */
    public String reason() {
        return name().toLowerCase(Locale.ROOT);
    }
}
