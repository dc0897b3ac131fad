package io.counters.collector.access;

import java.util.Locale;

/** The ports that settings name. */
public enum Port {
    /** Lines in datagrams. */
    UDP,
    /** Lines over TCP. */
    TCP,
    /** OTLP and lines by HTTP. */
    OTLP,
    /** The page and the API. */
    HTTP;

    /** As settings and metrics name it. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
