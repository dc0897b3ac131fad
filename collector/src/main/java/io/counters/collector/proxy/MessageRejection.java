package io.counters.collector.proxy;

import java.util.Locale;

/** Why a message was not forwarded: the rule that it broke. For our own commands there is {@code wire}'s Rejection. */
enum MessageRejection {
    NO_COLON("a line is key:value|type[|@flag], or increment NAME"),
    EMPTY_KEY("a key has at least one byte"),
    EMPTY_VALUE("a value has at least one byte"),
    NO_TYPE("a line is key:value|type[|@flag]"),
    UNKNOWN_TYPE("a type is c, g, ms, s, h, d, m, k or kv"),
    LINE_TOO_LONG("a line has at most 65,536 bytes"),
    LINE_CUT(
            "on TCP a line ends with a line break; this one was cut off with its connection, may be half of a line, and is"
                    + " not forwarded. End the last line with a line break too: echo, not echo -n"),
    LINES_JOINED(
            "the text contains several lines without line breaks between them, so they cannot be separated, and none of"
                    + " them is forwarded. End each line with a line break: a:1|c\\n"),
    BINARY_TYPE("the type of a binary frame is 1 to 6"),
    BINARY_KEY("the key of a binary frame has at least one byte, no NUL except its last, and a length that counts it"),
    BINARY_SET("the value of a set has no NUL except its last byte, and a length that counts it"),
    BINARY_CUT("a binary frame must be complete when its datagram or connection ends"),
    HTTP(
            "this port accepts StatsD lines and increment NAME, not HTTP; on TCP the connection is closed, and nothing after"
                    + " this line counts"),
    TLS("this port accepts lines, not TLS; on TCP the connection is closed, and nothing after this counts"),
    TOO_MANY_NAMES(
            "the sums of names have reached names_bytes; new names are summed as counters.overflow until a restart");

    private final String rule;

    MessageRejection(String rule) {
        this.rule = rule;
    }

    /** Whether a line broke the rule, not a frame or another protocol. */
    boolean isOfLines() {
        return switch (this) {
            case NO_COLON, EMPTY_KEY, EMPTY_VALUE, NO_TYPE, UNKNOWN_TYPE, LINE_TOO_LONG, LINE_CUT -> true;
            default -> false;
        };
    }

    /** The rule, for a message. */
    String rule() {
        return rule;
    }

    /** The reason, as it appears in metrics. */
    String reason() {
        return name().toLowerCase(Locale.ROOT);
    }
}
