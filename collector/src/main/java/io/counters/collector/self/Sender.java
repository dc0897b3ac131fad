package io.counters.collector.self;

/** Who sent a line that was not taken, as a log tells it. Only {@link #text} may allocate. */
public interface Sender {
    /** "UDP", "TCP" or "Unix". */
    String protocol();

    /** Its {@link AddressKey}. */
    long addressKey();

    /** Its port; 0 where senders have none, or it is not known. */
    int port();

    /** Its address and port, or where else it sends. */
    String text();
}
