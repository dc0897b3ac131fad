package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.TickClock;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.LoggerFactory;

/** An owner of partitions, here or as a process of its own, which ends when its input does. */
final class OwnerProcess implements AutoCloseable {
    /** The shortest session that brokers allow. */
    static final int SESSION_MILLIS = 6_000;

    final Fleet fleet;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean isEnding;

    /** Joins a fleet whose ticks are a second apart. */
    OwnerProcess(String bootstrap, String prefix, String instance, int partitions, FaultLog faults, Metrics metrics)
            throws IOException {
        TickClock ticks = new TickClock(1, InstantSource.system(), System::nanoTime, faults);
        fleet = new Fleet(
                new FleetSettings(
                        List.of(bootstrap.split(",", -1)),
                        prefix,
                        instance,
                        partitions,
                        1 << 30,
                        Map.of("session.timeout.ms", Integer.toString(SESSION_MILLIS))),
                0,
                LedgerSettings.in(Path.of("unused")),
                Optional.empty(),
                ticks::due,
                ticks::last,
                Runtime.getRuntime().maxMemory(),
                InstantSource.system(),
                System::nanoTime,
                new SecureRandom(),
                faults,
                metrics);
        fleet.start((name, round) -> {
            Thread thread = new Thread(() -> loop(round), name);
            thread.setDaemon(true);
            // A test looks at the topics itself.
            if (!name.equals("counters-members")) {
                threads.add(thread);
                thread.start();
            }
            return thread;
        });
    }

    static OwnerProcess start(String bootstrap, String prefix, String instance, int partitions, Metrics metrics)
            throws IOException {
        FaultLog faults = new FaultLog(LoggerFactory.getLogger(OwnerProcess.class), System::nanoTime);
        return new OwnerProcess(bootstrap, prefix, instance, partitions, faults, metrics);
    }

    private void loop(LongSupplier round) {
        long pause = 0;
        while (!isEnding) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(pause));
            pause = round.getAsLong();
        }
    }

    /** What is counted in the partitions that it owns. */
    Map<String, Long> values() {
        Map<String, Long> values = new TreeMap<>();
        Snapshot snapshot = fleet.counted().snapshot();
        for (int i = 0; i < snapshot.size(); i++) {
            values.put(snapshot.names()[i], snapshot.values()[i]);
        }
        return values;
    }

    Set<Integer> owned() {
        return fleet.ledgers().keySet();
    }

    @Override
    public void close() {
        isEnding = true;
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException nobodyShould) {
                throw new AssertionError(nobodyShould);
            }
        }
        fleet.endLines();
        fleet.end();
        fleet.close();
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
        OwnerProcess owner =
                start(arguments[0], arguments[1], arguments[2], Integer.parseInt(arguments[3]), new Metrics());
        while (System.in.read() >= 0) {
            // No input is expected.
        }
        owner.close();
    }
}
