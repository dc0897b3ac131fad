package io.counters.collector.fleet;

import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.publish.TickClock;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/** An owner of partitions, here or as a process of its own, which ends when its input does. */
final class OwnerProcess {
    /** The shortest session that brokers allow. */
    static final int SESSION_MILLIS = 6_000;

    private OwnerProcess() {}

    /** Joins a fleet whose ticks are a second apart. */
    static PartitionOwner start(String bootstrap, String prefix, String instance, int partitions, Self self)
            throws IOException {
        FaultLog faults = new FaultLog(LoggerFactory.getLogger(OwnerProcess.class), System::nanoTime);
        TickClock ticks = new TickClock(1, InstantSource.system(), System::nanoTime, faults);
        PartitionOwner owner = new PartitionOwner(
                new FleetSettings(
                        List.of(bootstrap.split(",", -1)),
                        prefix,
                        instance,
                        partitions,
                        1 << 30,
                        Map.of("session.timeout.ms", Integer.toString(SESSION_MILLIS))),
                0,
                partitions,
                LedgerSettings.in(Path.of("unused")),
                Optional.empty(),
                ticks::due,
                new PartitionOwner.Surroundings(
                        System::currentTimeMillis,
                        System::nanoTime,
                        new SecureRandom(),
                        OwnerProcess::thread,
                        faults,
                        self));
        owner.start();
        return owner;
    }

    private static Thread thread(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Starts one in a JVM of its own. */
    static Process launch(String bootstrap, String prefix, String instance, int partitions) throws IOException {
        return new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        OwnerProcess.class.getName(),
                        bootstrap,
                        prefix,
                        instance,
                        Integer.toString(partitions)))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /**
     * Runs an owner until it is killed.
     *
     * @param arguments as for {@link #launch}
     */
    public static void main(String[] arguments) throws IOException {
        PartitionOwner owner =
                start(arguments[0], arguments[1], arguments[2], Integer.parseInt(arguments[3]), new Self());
        while (System.in.read() >= 0) {
            // No input is expected.
        }
        owner.close();
    }
}
