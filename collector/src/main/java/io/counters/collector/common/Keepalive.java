package io.counters.collector.common;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import jdk.net.ExtendedSocketOptions;

/**
 * How the kernel detects, while nothing is sent, that the other host has disappeared: after {@code idleSeconds} of silence
 * it sends a probe every {@code intervalSeconds}, and ends the connection after {@code count} probes without an answer. A
 * program that is stopped or does not read is not detected, because its kernel answers.
 */
public record Keepalive(int idleSeconds, int intervalSeconds, int count) {
    /** For servers: detected within 8 s, unless the kernel still has bytes to send, because then it sends no probes. */
    public static final Keepalive OF_SERVERS = new Keepalive(3, 1, 4);

    /** For senders, because each uses a descriptor: detected within two minutes. */
    public static final Keepalive OF_SENDERS = new Keepalive(60, 10, 6);

    /** Sets these numbers; if the system does not allow it, its own apply, usually two hours. */
    public void set(SocketChannel channel) throws IOException {
        channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        if (channel.supportedOptions().contains(ExtendedSocketOptions.TCP_KEEPIDLE)) {
            channel.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, idleSeconds);
            channel.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, intervalSeconds);
            channel.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, count);
        }
    }
}
