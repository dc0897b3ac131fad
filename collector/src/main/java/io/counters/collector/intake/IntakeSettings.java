package io.counters.collector.intake;

import io.counters.collector.common.Descriptors;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * The settings of the ports for lines.
 *
 * @param bind the address to listen on
 * @param udpPort 0 for any free one
 * @param tcpPort 0 for any free one, -1 for the UDP port's number
 * @param nameBytesMax the maximum bytes of a name, so that with its prefix it is not longer than a store's key may be
 * @param connectionsMax the maximum number of TCP connections at once
 * @param statsd how names in StatsD lines that cannot be stored are handled
 */
public record IntakeSettings(
        InetAddress bind, int udpPort, int tcpPort, int nameBytesMax, int connectionsMax, StatsdSettings statsd) {
    /** As the TCP port: the UDP port's number. */
    static final int AS_UDP = -1;

    private static final int CONNECTIONS_MAX = 1_000_000;
    private static final int CONNECTION_BYTES = 2048;

    /**
     * TCP connections may use a twentieth of the heap, and half of the descriptors, because files, stores and sinks need
     * some, too. The port for OTLP and HTTP, if there is one, has half of that half.
     */
    private static final int HEAP_SHARE = 20;

    private static final int DESCRIPTORS_SHARE = 2;

    public static IntakeSettings from(Settings settings) {
        return new IntakeSettings(
                settings.get(CollectorFlag.BIND, IntakeSettings::address),
                settings.number(CollectorFlag.UDP_PORT, 0, 65_535),
                settings.get(
                        CollectorFlag.TCP_PORT,
                        text -> text.isEmpty() ? AS_UDP : Settings.wholeNumber(text, 0, 65_535)),
                NameReader.BYTES_MAX - LedgerSettings.prefix(settings).length(),
                connectionsMax(
                        settings.number(CollectorFlag.CONNECTIONS, 1, CONNECTIONS_MAX),
                        Descriptors.limit() / (settings.get(CollectorFlag.OTLP_PORT, String::isEmpty) ? 1 : 2),
                        Runtime.getRuntime().maxMemory()),
                StatsdSettings.from(settings));
    }

    /** {@code wanted}, or fewer if descriptors or memory do not suffice. */
    static int connectionsMax(int wanted, long descriptors, long heapBytes) {
        long possible = Math.min(descriptors / DESCRIPTORS_SHARE, heapBytes / HEAP_SHARE / CONNECTION_BYTES);
        return (int) Math.max(1, Math.min(wanted, possible));
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException unknown) {
            throw new IllegalArgumentException(
                    "which is not an address of this machine; 0.0.0.0 listens on all of them", unknown);
        }
    }
}
