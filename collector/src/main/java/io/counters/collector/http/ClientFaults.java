package io.counters.collector.http;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.netty.handler.codec.DecoderException;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/**
 * Counts the connections of a port that ended because of their clients: they were slow, too many, or could not shake hands. Logs
 * their addresses, each kind at most once a minute. For the event loop only.
 */
final class ClientFaults {
    private final Listening listening;
    private final FaultLog faults;
    private final LongAdder timeouts;
    private final LongAdder refusedConnections;
    private final LongAdder endedConnections;
    private final LongAdder failedHandshakes;
    private final LongAdder endedHandshakes;

    ClientFaults(Listening listening, FaultLog faults, Metrics metrics) {
        this.listening = listening;
        this.faults = faults;
        timeouts = metrics.count("http_timeouts_total", "HTTP requests and answers that exceeded a time limit.");
        refusedConnections = metrics.count(
                "http_refused_connections_total", "HTTP connections refused because all were waiting for answers.");
        endedConnections =
                metrics.count("http_ended_connections_total", "HTTP connections that were replaced by a new one.");
        failedHandshakes = metrics.count(
                "http_failed_handshakes_total",
                "HTTP connections that ended because their TLS failed, in the handshake or after it.");
        endedHandshakes = metrics.count(
                "http_ended_handshakes_total", "TLS handshakes by HTTP that were ended, because a new one began.");
    }

    /** A connection was too long in this state. An answer that is not made in time is no fault of its client. */
    void timedOut(long address, ConnectionState state) {
        timeouts.increment();
        if (state == ConnectionState.READING) {
            slow(address, "it sent only a part of its request");
        } else if (state == ConnectionState.SENDING) {
            slow(address, "it did not read its answer");
        }
    }

    void handshakeTimedOut(long address) {
        timeouts.increment();
        slow(address, "it did not complete its TLS handshake");
    }

    private void slow(long address, String what) {
        faults.warn(
                "http slow " + listening.what(),
                address,
                () -> listening.what() + " closed the connection of " + AddressKey.text(address)
                        + ", because its client is too slow: " + what + " in time");
    }

    /**
     * A connection waited for its client, and was closed for a new one. It may be an idle one of an honest client, so the log
     * also names the address that has most of them.
     *
     * @param all the addresses of all connections
     */
    void replaced(long address, Stream<Long> all) {
        endedConnections.increment();
        faults.warn(
                "http replaced " + listening.what(),
                address,
                () -> crowded("connections", all) + " the one of " + AddressKey.text(address)
                        + ", which waited longest for its client, was closed for a new one");
    }

    /**
     * A new connection was refused.
     *
     * @param all the addresses of all others, each of which waits for its answer
     */
    void refused(long address, Stream<Long> all) {
        refusedConnections.increment();
        faults.warn(
                "http refused " + listening.what(),
                address,
                () -> crowded("connections", all) + " a new one of " + AddressKey.text(address)
                        + " was refused, because all wait for answers");
    }

    /**
     * There are too many TLS handshakes, and the oldest one was ended for a new one.
     *
     * @param all the addresses of all of them
     */
    void handshakeReplaced(long address, Stream<Long> all) {
        endedHandshakes.increment();
        faults.warn(
                "http handshakes " + listening.what(),
                address,
                () -> crowded("TLS handshakes", all) + " the one of " + AddressKey.text(address)
                        + ", which began first, was ended for a new one");
    }

    /** @param which are limited to as many as there may be connections */
    private String crowded(String which, Stream<Long> all) {
        return "all " + listening.limits().connections() + " " + which + " of " + listening.what()
                + " are in use, most by "
                + all.collect(Collectors.groupingBy(address -> address, Collectors.counting())).entrySet().stream()
                        .max(Map.Entry.comparingByValue())
                        .map(most -> AddressKey.text(most.getKey()) + " (" + most.getValue() + ")")
                        .orElse("nobody")
                + ":";
    }

    void handshakeFailed(long address, Throwable why) {
        failedHandshakes.increment();
        faults.warn(
                "http tls " + listening.what(),
                address,
                () -> listening.what() + " speaks TLS, and the handshake of " + AddressKey.text(address)
                        + " failed; use https, trust its certificate, and if it needs a client certificate, show one: "
                        + HttpPort.shown(why));
    }

    /** Whether this error of a connection is one of its TLS. */
    static boolean isBrokenTls(Throwable thrown) {
        return thrown instanceof DecoderException && thrown.getCause() instanceof SSLException;
    }

    /** The TLS of a connection failed after its handshake; counted as a handshake that failed. */
    void tlsBroken(long address, Throwable why) {
        failedHandshakes.increment();
        faults.warn(
                "http broken tls " + listening.what(),
                address,
                () -> listening.what() + " closed the connection of " + AddressKey.text(address)
                        + ", because its TLS failed after the handshake: " + HttpPort.shown(why));
    }
}
