package io.counters.collector.dashboard;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;

/**
 * The settings of the page.
 *
 * @param port on loopback; 0 for any free one
 */
public record DashboardSettings(int port) {
    public static DashboardSettings from(Settings settings) {
        return new DashboardSettings(settings.number(CollectorFlag.HTTP_PORT, 0, 65_535));
    }
}
