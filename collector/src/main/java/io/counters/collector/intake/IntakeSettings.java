package io.counters.collector.intake;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.access.Port;
import io.counters.collector.access.TlsChannel;
import io.counters.collector.common.Descriptors;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import java.net.InetAddress;
import java.time.Duration;

/**
 * The settings of the ports for lines.
 *
 * @param bind the address to listen on
 * @param udpPort 0 for any free one
 * @param tcpPort 0 for any free one, -1 for the UDP port's number
 * @param nameBytesMax the maximum bytes of a name, so that with its prefix it is not longer than a store's key may be
 * @param connectionsMax the maximum number of TCP connections at once
 * @param idle how long a TCP connection may be silent
 * @param statsd how names in StatsD lines that cannot be stored are handled
 * @param access whose lines are taken, and the certificate of the TCP port
 */
public record IntakeSettings(
        InetAddress bind,
        int udpPort,
        int tcpPort,
        int nameBytesMax,
        int connectionsMax,
        Duration idle,
        StatsdSettings statsd,
        AccessSettings access) {
    /** As the TCP port: the UDP port's number. */
    static final int AS_UDP = -1;

    private static final int CONNECTIONS_MAX = 1_000_000;
    static final int CONNECTION_BYTES = 2048;
    private static final int TLS_CONNECTION_BYTES = TlsChannel.BYTES;

    /**
     * TCP connections may use a twentieth of the heap, and half of the descriptors, because files, stores and sinks need
     * some, too. The port for OTLP and HTTP, if there is one, has half of that half.
     */
    private static final int HEAP_SHARE = 20;

    private static final int DESCRIPTORS_SHARE = 2;

    /** Without TLS, and for everyone. */
    IntakeSettings(
            InetAddress bind, int udpPort, int tcpPort, int nameBytesMax, int connectionsMax, StatsdSettings statsd) {
        this(bind, udpPort, tcpPort, nameBytesMax, connectionsMax, Duration.ofHours(24), statsd, AccessSettings.NONE);
    }

    public static IntakeSettings from(Settings settings, AccessSettings access) {
        return new IntakeSettings(
                settings.get(CollectorFlag.BIND, AccessSettings::address),
                settings.number(CollectorFlag.UDP_PORT, 0, 65_535),
                settings.get(
                        CollectorFlag.TCP_PORT,
                        text -> text.isEmpty() ? AS_UDP : Settings.wholeNumber(text, 0, 65_535)),
                NameReader.BYTES_MAX - LedgerSettings.prefix(settings).length(),
                connectionsMax(
                        settings.number(CollectorFlag.CONNECTIONS, 1, CONNECTIONS_MAX),
                        Descriptors.limit() / (settings.get(CollectorFlag.OTLP_PORT, String::isEmpty) ? 1 : 2),
                        Runtime.getRuntime().maxMemory(),
                        access.certificate(Port.TCP).isPresent() ? TLS_CONNECTION_BYTES : CONNECTION_BYTES),
                settings.get(CollectorFlag.TCP_IDLE, Settings::minutes),
                StatsdSettings.from(settings),
                access);
    }

    /** {@code wanted}, or fewer if descriptors or memory do not suffice. */
    static int connectionsMax(int wanted, long descriptors, long heapBytes, int connectionBytes) {
        long possible = Math.min(descriptors / DESCRIPTORS_SHARE, heapBytes / HEAP_SHARE / connectionBytes);
        return (int) Math.max(1, Math.min(wanted, possible));
    }
}
