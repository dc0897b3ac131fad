package io.counters.collector.common;

/** The sender of a rejected line, for the log. Only {@link #text} may allocate. */
public interface LineSender {
    /** "UDP", "TCP" or "Unix". */
    String protocol();

    /** Its {@link AddressKey}. */
    long addressKey();

    /** Its port; 0 if senders have none or it is not known. */
    int port();

    /** Its address and port, or the path of the socket to which it sends. */
    String text();
}
