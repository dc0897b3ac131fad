package io.counters.collector.common;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** The process's file descriptors: each connection and each open file uses one. */
public final class Descriptors {
    private Descriptors() {}

    /**
     * How many this process may have at once ({@code ulimit -n}); {@link Long#MAX_VALUE} if the system does not report it.
     */
    public static long limit() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
                ? system.getMaxFileDescriptorCount()
                : Long.MAX_VALUE;
    }
}
