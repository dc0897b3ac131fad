package io.counters.collector.intake;

import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.self.Descriptors;
import io.counters.collector.settings.Setting;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * Where lines come in.
 *
 * @param bind the address to listen on
 * @param udpPort 0 for a free one
 * @param tcpPort 0 for a free one, -1 for the number that UDP got
 * @param nameBytesMax of a name, so that with its prefix it is not longer than a store's key may be
 * @param connectionsMax the most TCP connections at once
 * @param statsd what becomes of odd names in StatsD lines
 */
public record IntakeSettings(
        InetAddress bind, int udpPort, int tcpPort, int nameBytesMax, int connectionsMax, StatsdSettings statsd) {
    /** In place of a TCP port: the same number as UDP's. */
    static final int AS_UDP = -1;

    private static final int CONNECTIONS_MAX = 1_000_000;
    private static final int CONNECTION_BYTES = 2048;

    /** Of the heap, TCP connections get a twentieth; of the descriptors, half, as files, stores and sinks need some, too. */
    private static final int HEAP_SHARE = 20;

    private static final int DESCRIPTORS_SHARE = 2;

    public static IntakeSettings from(Settings settings) {
        return new IntakeSettings(
                settings.get(Setting.BIND, IntakeSettings::address),
                settings.number(Setting.UDP_PORT, 0, 65_535),
                settings.get(Setting.TCP_PORT, text -> text.isEmpty() ? AS_UDP : Settings.wholeNumber(text, 0, 65_535)),
                NameReader.BYTES_MAX - LedgerSettings.prefix(settings).length(),
                connectionsMax(
                        settings.number(Setting.CONNECTIONS, 1, CONNECTIONS_MAX),
                        Descriptors.limit(),
                        Runtime.getRuntime().maxMemory()),
                StatsdSettings.from(settings));
    }

    /** So many as are wanted, or fewer where descriptors or memory allow no more. */
    static int connectionsMax(int wanted, long descriptors, long heapBytes) {
        long possible = Math.min(descriptors / DESCRIPTORS_SHARE, heapBytes / HEAP_SHARE / CONNECTION_BYTES);
        return (int) Math.max(1, Math.min(wanted, possible));
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException unknown) {
            throw new IllegalArgumentException(
                    "which is no address of this machine; 0.0.0.0 listens on all of them", unknown);
        }
    }
}
