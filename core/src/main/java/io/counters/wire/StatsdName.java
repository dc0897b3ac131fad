package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Converts the name and the tags of a StatsD line to a canonical name. It either cleans them by the table below or, if
 * it is strict, rejects what {@link NameReader} rejects.
 *
 * <pre>
 *   in the line                            what it becomes
 *   a character that cannot be stored      _        one for each UTF-8 code point, or for each byte outside one
 *   n;k=v;j=w                  Graphite    n,j=w,k=v
 *   n#k=v,j=w          Librato, SYSDIG     n,j=w,k=v
 *   n[k=v,j=w]m               SignalFx     nm,j=w,k=v
 *   n,k=v,j=w                   Influx     n,j=w,k=v
 *   n,k=a\,b            escaped comma      n,k=a_b
 *   |#k:v,j:w                DogStatsD     ,j=w,k=v
 *   a tag without a value                  k=true
 *   a tag with an empty key or value       nothing
 *   a key that appears again               the later value
 *   a key of {@code drop_tags}             nothing
 * </pre>
 *
 * <p>A name has tags only if an equals sign follows: {@code n[0]} and {@code a;b} are names with characters that cannot
 * be stored. {@link NameReader#isLetter} decides which characters can be stored.
 *
 * <p>Stores the result in its own fields, so each thread needs its own reader. Never throws, for any bytes; allocates
 * nothing. After {@link #readLine} has returned null, the canonical name is {@code bytes[from, to)}.
 */
public final class StatsdName {
    /** The key that Datadog's clients add for each pod. Cleaning always leaves it out. */
    public static final String ENTITY_ID = "dd.internal.entity_id";

    /** Used in place of a delimiter: no line contains a line break. */
    private static final byte NONE = '\n';

    private static final byte[] TRUE = "true".getBytes(ISO_8859_1);

    /** Room for a line, and for "=true" after each of its tags, which have at least two characters each. */
    private static final int TEXT_BYTES = CommandReader.LINE_BYTES_MAX * 4;

    /** The array that contains the name. */
    public byte[] bytes = {};

    /** Where the name begins. */
    public int from;

    /** Where the name ends, exclusive. */
    public int to;

    private final boolean cleans;
    private final byte[][] dropped;
    private final NameReader strictly = new NameReader();

    /** The metric and each tag as {@code ,key=value}, cleaned; if strict, the name as {@link NameReader} reads it. */
    private final byte[] text = new byte[TEXT_BYTES];

    private int textTo;
    private int metricTo;

    /** Whether the tags are in order, each key once. */
    private boolean isCanonical;

    private final byte[] canonical = new byte[NameReader.BYTES_MAX];

    /** The tags so far, sorted by key. */
    private final int[] keyFrom = new int[NameReader.TAGS_MAX];

    private final int[] keyTo = new int[NameReader.TAGS_MAX];
    private final int[] valueTo = new int[NameReader.TAGS_MAX];
    private int tags;
    private boolean hasTagField;

    private final Set<Cleaning> cleanings = EnumSet.noneOf(Cleaning.class);

    private StatsdName(boolean cleans, Collection<String> dropTags) {
        this.cleans = cleans;
        dropped = new byte[dropTags.size() + 1][];
        int count = 0;
        dropped[count++] = ENTITY_ID.getBytes(ISO_8859_1);
        for (String key : dropTags) {
            dropped[count++] = key.getBytes(ISO_8859_1);
        }
    }

    /**
     * A reader that cleans.
     *
     * @param dropTags keys of tags to leave out, in the form that they have after cleaning
     */
    public static StatsdName cleaning(Collection<String> dropTags) {
        return new StatsdName(true, dropTags);
    }

    /** A reader that rejects what it would have to clean. */
    public static StatsdName strict() {
        return new StatsdName(false, Collections.emptyList());
    }

    /**
     * Reads the name of the StatsD line {@code in[begin, end)}, of any type and value, for callers that need only the
     * name. A line break at the end is ignored.
     *
     * @return the rule that it breaks, or null
     */
    public @Nullable Rejection readLine(byte[] in, int begin, int end) {
        int lineEnd = StatsdLine.textEnd(in, begin, end);
        if (lineEnd - begin > CommandReader.LINE_BYTES_MAX) {
            return Rejection.LINE_TOO_LONG;
        }
        int colon = CommandReader.find(in, begin, lineEnd, (byte) ':');
        int bar = CommandReader.find(in, colon, lineEnd, (byte) '|');
        if (bar == lineEnd) {
            return Rejection.STATSD_FORM;
        }
        int nameEnd = nameEnd(in, begin, colon, bar);
        Rejection why = nameEnd < 0 ? Rejection.STATSD_COLON : begin(in, begin, nameEnd);
        for (int at = bar; why == null && at < lineEnd; ) {
            int field = at + 1;
            at = CommandReader.find(in, field, lineEnd, (byte) '|');
            if (field < at && in[field] == '#') {
                why = tags(in, field + 1, at);
            }
        }
        return why == null ? finish() : why;
    }

    /**
     * Where the name ends, at a colon; -1 if the name itself contains a colon. {@code a:1:2|c} contains two values. A
     * name that has tags ends at the last colon, because those before it belong to a tag: {@code n;host=a:8080:1|c} is
     * one count. If the tags are in brackets, the name ends at the first colon after these.
     *
     * @param colon the first one
     * @param bar where the values end
     */
    int nameEnd(byte[] in, int begin, int colon, int bar) {
        int last = bar - 1;
        while (last > colon && in[last] != ':') {
            last--;
        }
        if (last == colon) {
            return colon;
        }
        int tags = StatsdNameParts.tagsBegin(in, begin, last);
        if (StatsdNameParts.isNumeric(in, last + 1, bar) && tags < colon) {
            int end = in[tags] == '[' ? CommandReader.find(in, tags, last, (byte) ']') : last;
            return cleans ? CommandReader.find(in, end, last, (byte) ':') : -1;
        }
        int second = CommandReader.find(in, colon + 1, last, (byte) ':');
        return StatsdNameParts.isNumeric(in, colon + 1, second) || !StatsdNameParts.isNumeric(in, last + 1, bar)
                ? colon
                : -1;
    }

    /** Reads a name, without any tags that follow the value. */
    @Nullable
    Rejection begin(byte[] in, int begin, int end) {
        bytes = in;
        from = begin;
        to = end;
        tags = 0;
        isCanonical = true;
        cleanings.clear();
        hasTagField = false;
        if (begin == end) {
            return Rejection.EMPTY_NAME;
        }
        return cleans && NameReader.lettersEnd(in, begin, end) < end ? metricAndTags(in, begin, end) : null;
    }

    private @Nullable Rejection metricAndTags(byte[] in, int begin, int end) {
        textTo = 0;
        int metricEnd = StatsdNameParts.tagsBegin(in, begin, end);
        byte mark = metricEnd < end ? in[metricEnd] : 0;
        clean(in, begin, metricEnd, NONE, NONE, Cleaning.NAME_LETTER);
        int tagsEnd = end;
        if (mark == '[') {
            tagsEnd = CommandReader.find(in, metricEnd, end, (byte) ']');
            clean(in, tagsEnd + 1, end, NONE, NONE, Cleaning.NAME_LETTER);
        }
        isInText();
        if (metricTo == 0) {
            return Rejection.EMPTY_NAME;
        }
        if (mark == 0) {
            return null;
        }
        if (mark != ',') {
            note(Cleaning.TAGS_IN_NAME);
        }
        return tags(in, metricEnd + 1, tagsEnd, mark == ';' ? mark : (byte) ',', (byte) '=');
    }

    private void isInText() {
        bytes = text;
        from = 0;
        to = textTo;
        metricTo = textTo;
    }

    /** Copies the metric to the beginning of the text, if it is not there. */
    // Compares which of two arrays contains the name, so identity is meant.
    @SuppressWarnings("ReferenceEquality")
    private void copyMetric() {
        if (bytes != text) {
            System.arraycopy(bytes, from, text, 0, to - from);
            textTo = to - from;
            isInText();
        }
    }

    /** Reads DogStatsD's tags: {@code k:v,j:w}. */
    @Nullable
    Rejection tags(byte[] in, int begin, int end) {
        copyMetric();
        if (cleans) {
            return tags(in, begin, end, (byte) ',', (byte) ':');
        }
        if (hasTagField) {
            return Rejection.STATSD_FORM;
        }
        hasTagField = true;
        text[textTo++] = ',';
        boolean isKey = true;
        for (int i = begin; i < end; i++) {
            boolean equals = isKey && in[i] == ':';
            // The sender's '=' would be read as the one between key and value, so it becomes a byte that no name can
            // have.
            text[textTo++] = equals ? (byte) '=' : in[i] == '=' ? (byte) '?' : in[i];
            isKey = in[i] == ',' || (isKey && !equals);
        }
        to = textTo;
        return null;
    }

    private @Nullable Rejection tags(byte[] in, int begin, int end, byte between, byte equals) {
        if (begin == end) {
            note(Cleaning.EMPTY_TAG);
        }
        for (int at = begin; at < end; at++) {
            int tag = textTo;
            text[textTo++] = ',';
            at = clean(in, at, end, between, equals, Cleaning.TAG_LETTER);
            int keyEnd = textTo;
            text[textTo++] = '=';
            boolean hasValue = at < end && in[at] == equals;
            if (hasValue) {
                at = clean(in, at + 1, end, between, NONE, Cleaning.TAG_LETTER);
            }
            if (at == end - 1) {
                note(Cleaning.EMPTY_TAG);
            }
            if (keyEnd == tag + 1 || (hasValue && textTo == keyEnd + 1)) {
                note(Cleaning.EMPTY_TAG);
                textTo = tag;
            } else if (isDropped(tag + 1, keyEnd)) {
                note(Cleaning.DROPPED_TAG);
                textTo = tag;
            } else {
                if (!hasValue) {
                    note(Cleaning.TAG_WITHOUT_VALUE);
                    System.arraycopy(TRUE, 0, text, textTo, TRUE.length);
                    textTo += TRUE.length;
                }
                if (!put(tag + 1, keyEnd, textTo)) {
                    return Rejection.TOO_MANY_TAGS;
                }
            }
        }
        return null;
    }

    private boolean isDropped(int key, int keyEnd) {
        for (byte[] drop : dropped) {
            if (drop.length == keyEnd - key && compare(key, keyEnd, drop, 0, drop.length) == 0) {
                return true;
            }
        }
        return false;
    }

    /** Inserts a tag of {@link #text} among the others in order; false if there are too many. */
    private boolean put(int key, int equals, int end) {
        int place = tags;
        while (place > 0) {
            int compared = compare(key, equals, text, keyFrom[place - 1], keyTo[place - 1]);
            if (compared == 0) {
                note(Cleaning.REPEATED_TAG);
                isCanonical = false;
                set(place - 1, key, equals, end);
                return true;
            }
            if (compared > 0) {
                break;
            }
            place--;
        }
        if (tags == NameReader.TAGS_MAX) {
            return false;
        }
        isCanonical &= place == tags;
        for (int i = tags++; i > place; i--) {
            set(i, keyFrom[i - 1], keyTo[i - 1], valueTo[i - 1]);
        }
        set(place, key, equals, end);
        return true;
    }

    private void set(int place, int key, int equals, int end) {
        keyFrom[place] = key;
        keyTo[place] = equals;
        valueTo[place] = end;
    }

    private int compare(int from, int to, byte[] other, int otherFrom, int otherTo) {
        int common = Math.min(to - from, otherTo - otherFrom);
        for (int i = 0; i < common; i++) {
            int difference = text[from + i] - other[otherFrom + i];
            if (difference != 0) {
                return difference;
            }
        }
        return to - from - (otherTo - otherFrom);
    }

    /**
     * Appends {@code in[begin, end)} to the text, up to one of two delimiters, with {@code _} for each character that
     * cannot be stored.
     *
     * @return where the delimiter is; {@code end} if there is none
     */
    private int clean(byte[] in, int begin, int end, byte mark, byte otherMark, Cleaning why) {
        int at = begin;
        while (at < end) {
            byte b = in[at];
            if (NameReader.isLetter(b)) {
                text[textTo++] = b;
                at++;
            } else if (b == mark || b == otherMark) {
                return at;
            } else {
                note(why);
                text[textTo++] = '_';
                boolean escapes = b == '\\' && at + 1 < end && (in[at + 1] == mark || in[at + 1] == otherMark);
                at = escapes ? at + 2 : StatsdNameParts.codePointEnd(in, at, end);
            }
        }
        return at;
    }

    /** Converts what was read to canonical form. */
    @Nullable
    Rejection finish() {
        if (!cleans) {
            Rejection why = strictly.read(bytes, from, to);
            bytes = strictly.bytes;
            from = strictly.from;
            to = strictly.to;
            return why;
        }
        if (tags > 0 && isCanonical) {
            to = textTo;
        }
        if (isCanonical) {
            return to - from > NameReader.BYTES_MAX ? Rejection.NAME_TOO_LONG : null;
        }
        int length = metricTo;
        for (int i = 0; i < tags; i++) {
            length += 1 + valueTo[i] - keyFrom[i];
        }
        if (length > NameReader.BYTES_MAX) {
            return Rejection.NAME_TOO_LONG;
        }
        System.arraycopy(text, 0, canonical, 0, metricTo);
        int at = metricTo;
        for (int i = 0; i < tags; i++) {
            // Includes the comma before the tag.
            int tagLength = valueTo[i] - keyFrom[i] + 1;
            System.arraycopy(text, keyFrom[i] - 1, canonical, at, tagLength);
            at += tagLength;
        }
        bytes = canonical;
        from = 0;
        to = at;
        return null;
    }

    /** Notes an empty field; strictly, it breaks a rule. */
    @Nullable
    Rejection emptyField() {
        note(Cleaning.EMPTY_FIELD);
        return cleans ? null : Rejection.STATSD_FORM;
    }

    /** Whether anything was cleaned. */
    boolean isCleaned() {
        return !cleanings.isEmpty();
    }

    /** Whether this was changed in the name that was read. */
    public boolean was(Cleaning why) {
        return cleanings.contains(why);
    }

    private void note(Cleaning why) {
        cleanings.add(why);
    }
}
