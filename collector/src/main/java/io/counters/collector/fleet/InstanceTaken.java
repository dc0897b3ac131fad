package io.counters.collector.fleet;

import io.counters.collector.common.Threads;

/** Another collector of the fleet has this one's instance name and started later: this one must end, with its process. */
final class InstanceTaken extends Threads.MustEnd {
    private static final long serialVersionUID = 1;

    InstanceTaken(String instance, Throwable cause) {
        super(
                "another collector of this fleet has the instance name " + instance
                        + " and started later; give each its own --instance",
                cause);
    }
}
