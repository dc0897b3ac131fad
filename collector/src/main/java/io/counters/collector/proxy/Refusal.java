package io.counters.collector.proxy;

import java.util.Locale;

/** Why a message was not passed on: the rule that it broke. Of our own commands {@code wire}'s rejections say why. */
enum Refusal {
    NO_COLON("a line is key:value|type[|@flag], or increment NAME"),
    EMPTY_KEY("a key has at least one byte"),
    EMPTY_VALUE("a value has at least one byte"),
    NO_TYPE("a line is key:value|type[|@flag]"),
    UNKNOWN_TYPE("a type is c, g, ms, s, h, d, m, k or kv"),
    LINE_TOO_LONG("a line has at most 65,536 bytes"),
    LINE_CUT(
            "on TCP a line ends with a line break; this one was cut off with its connection, may be half of one, and is not"
                    + " passed on. End the last line with a line break, too: echo, not echo -n"),
    LINES_JOINED(
            "several lines stand here without line breaks between them, so that nobody can tell one from the next, and none"
                    + " is passed on. End each line with a line break: a:1|c\\n"),
    BINARY_TYPE("a binary frame's type is 1 to 6"),
    BINARY_KEY("a binary frame's key has at least one byte, no NUL but its last, and a length that counts it"),
    BINARY_SET("a set's value has no NUL but its last byte, and a length that counts it"),
    BINARY_CUT("a binary frame ends with its datagram or connection"),
    PEER_LINE("a peer line is between collectors; give their --peers the collectors, and not a proxy before them"),
    HTTP(
            "this port takes StatsD's lines and increment NAME, and no HTTP; the connection is closed, the rest does not count"),
    TLS("this port does not speak TLS; the connection is closed, and nothing in it counts"),
    TOO_MANY_NAMES(
            "the sums of names have reached names_bytes; new names are added up as counters.overflow until a restart");

    private final String rule;

    Refusal(String rule) {
        this.rule = rule;
    }

    /** Whether it is a line that broke the rule, and not a frame or another protocol. */
    boolean isOfLines() {
        return switch (this) {
            case NO_COLON, EMPTY_KEY, EMPTY_VALUE, NO_TYPE, UNKNOWN_TYPE, LINE_TOO_LONG, LINE_CUT -> true;
            default -> false;
        };
    }

    /** The rule, in words for a person. */
    String rule() {
        return rule;
    }

    /** A word for the reason in a counter's name. */
    String reason() {
        return name().toLowerCase(Locale.ROOT);
    }
}
