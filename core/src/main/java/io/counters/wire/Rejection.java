package io.counters.wire;

import java.util.Locale;

/** Why a line was rejected: the rule that it broke. docs/operations.md has a row for each, with the same words. */
public enum Rejection {
    EMPTY_NAME("a name needs at least one character"),
    NAME_LETTER("a name consists of A-Z a-z 0-9 - _ . /, and so do the keys and values of its tags"),
    NAME_TOO_LONG("a name has at most 250 bytes, including its tags"),
    TAG_FORM("a tag is ,key=value, with a key and a value that are not empty"),
    TOO_MANY_TAGS("a name has at most 7 tags; the collector's --drop-tags leaves out tags of StatsD lines"),
    REPEATED_TAG("a tag's key appears once in a name"),
    LINE_TOO_LONG("a line has at most 1,024 bytes"),
    LINE_CUT("on TCP a line ends with a line break; this one was cut off with its connection, may be half of a line,"
            + " and is not counted. End the last line with a line break too: echo, not echo -n"),
    LINES_JOINED(
            "the text contains several lines without line breaks between them, so they cannot be separated; none of"
                    + " them is counted. End each line with a line break: a:1|c\\n"),
    DATAGRAM_CUT(
            "a datagram of the Unix socket has at most 1,048,576 bytes; this one is longer, and this line was cut off"),
    UNKNOWN_VERB("a line begins with increment, decrement or from, or is a StatsD line name:1|c"),
    COMMAND_FORM("a command is \"increment NAME [AMOUNT [TOTAL]]\", with one space between words"),
    AMOUNT_FORM("an amount consists of digits only"),
    AMOUNT_TOO_LARGE("an amount is at most 2^53"),
    TOTAL_FORM("a total is a whole number from 0 to 2^63-1"),
    TOTAL_BELOW_AMOUNT("a total is never less than its amount"),
    FROM_FORM("a from line is \"from SENDER AGE SEQ\", with a sender of 16 to 64 characters"),
    FROM_PLACE("in a datagram the from line is first, and appears once"),
    SIGNED_FORM("a signed line is \"signed KEY-ID TIME MAC\""),
    SIGNED_PLACE("a signed line is the first of a datagram; it is rejected on TCP"),
    SIGNED_MAC(
            "the MAC of a signed line is that of its datagram, made with the key that the collector has under this ID; give"
                    + " both the same key"),
    SIGNED_TIME(
            "the time of a signed line is at most five minutes from the collector's clock; set the sender's clock and the"
                    + " collector's. A datagram that was recorded and sent again is refused, too"),
    SIGNED_TOTAL(
            "in a signed datagram the next line is the from line, and each command has a total; send other lines to a"
                    + " collector that accepts unsigned ones"),
    KEY_UNKNOWN("the key ID of a signed line is one of those in the collector's file of keys; add it there"),
    KEY_PREFIX("a name begins with the prefix that its key has in the collector's file of keys"),
    UNSIGNED("this collector requires signed datagrams, so it accepts none without a signature, and nothing over TCP"
            + " without client certificates; give the sender a key, let it send over UDP, or start the collector with"
            + " --signing accepted"),
    STATSD_FORM("a StatsD line is name:VALUE[:VALUE...]|c[|@RATE][|#tag:value,...]"),
    STATSD_COLON(
            "a StatsD name has no colon, because values follow the first one: send shop.cart:1|c, not shop:cart:1|c"),
    STATSD_TYPE("of StatsD's types only c, a counter, is counted"),
    STATSD_VALUE("a counter's value is a number such as 3, -1, 2.5 or 1e3"),
    UNKNOWN_TYPE("StatsD has no such type; a counter's type is c, in lower case: name:1|c"),
    STATSD_RATE("a sample rate is greater than 0 and at most 1"),
    HTTP("this port accepts lines, not HTTP; on TCP the connection is closed, and nothing after this line counts. A"
            + " web page in a browser may have sent it"),
    TLS("this port accepts lines, not TLS; on TCP the connection is closed, and nothing after this counts");

    private final String rule;

    Rejection(String rule) {
        this.rule = rule;
    }

    /** The rule, in words for a person. */
    public String rule() {
        return rule;
    }

    /** The reason as a metric's label, such as {@code name_letter}. */
    public String reason() {
        return name().toLowerCase(Locale.ROOT);
    }
}
