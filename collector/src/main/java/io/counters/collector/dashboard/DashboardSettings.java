package io.counters.collector.dashboard;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.access.Port;
import io.counters.collector.common.Descriptors;
import io.counters.collector.http.Guard;
import io.counters.collector.http.HttpLimits;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import java.net.InetAddress;

/**
 * The settings of the page.
 *
 * @param bind the address to listen on
 * @param port 0 for any free one
 * @param limits how much it holds at once
 * @param guard whom it answers
 */
public record DashboardSettings(InetAddress bind, int port, HttpLimits limits, Guard guard) {
    private static final int BODIES_HEAP_SHARE = 50;

    /** On loopback, for everyone on this machine. */
    DashboardSettings(int port) {
        this(InetAddress.getLoopbackAddress(), port, HttpLimits.PAGE, Guard.NONE);
    }

    /**
     * Reads the settings.
     *
     * @param heapBytes the maximum heap
     */
    public static DashboardSettings from(Settings settings, AccessSettings access, long heapBytes) {
        return new DashboardSettings(
                access.bind(settings, CollectorFlag.HTTP_BIND, Port.HTTP),
                settings.number(CollectorFlag.HTTP_PORT, 0, 65_535),
                new HttpLimits(
                                settings.number(CollectorFlag.HTTP_CONNECTIONS, HttpLimits.CONNECTIONS_MIN, 10_000),
                                settings.number(CollectorFlag.HTTP_LISTENERS, 1, 1000),
                                settings.number(CollectorFlag.HTTP_WAITING, 1, 10_000),
                                heapBytes / BODIES_HEAP_SHARE)
                        .within(
                                heapBytes,
                                Descriptors.limit(),
                                access.certificate(Port.HTTP).isPresent()),
                Guard.of(settings, access, Port.HTTP));
    }
}
