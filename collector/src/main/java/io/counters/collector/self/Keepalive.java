package io.counters.collector.self;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import jdk.net.ExtendedSocketOptions;

/**
 * How the kernel finds out that the other host is gone while nothing is sent there: after {@code idleSeconds} without a
 * word it asks every {@code intervalSeconds}, and gives the connection up when {@code count} of its questions had no answer.
 * A program that is stopped or does not read is not gone: its kernel answers.
 */
public record Keepalive(int idleSeconds, int intervalSeconds, int count) {
    /** Servers: found out within 8 s, unless the kernel still holds bytes for one: then it does not ask. */
    public static final Keepalive OF_SERVERS = new Keepalive(3, 1, 4);

    /** Senders cost a descriptor: found out within two minutes. */
    public static final Keepalive OF_SENDERS = new Keepalive(60, 10, 6);

    /** Where the system does not let these numbers be set, its own hold; mostly two hours. */
    public void set(SocketChannel channel) throws IOException {
        channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        if (channel.supportedOptions().contains(ExtendedSocketOptions.TCP_KEEPIDLE)) {
            channel.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, idleSeconds);
            channel.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, intervalSeconds);
            channel.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, count);
        }
    }
}
