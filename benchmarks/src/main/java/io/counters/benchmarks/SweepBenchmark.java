package io.counters.benchmarks;

import io.counters.cells.Cells;
import io.counters.emit.CounterTable;
import io.counters.emit.EmitterSettings;
import io.counters.emit.Sweep;
import io.counters.emit.UdpTransport;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One sweep of 10,000 counters, counted by two threads, of which 1,000 changed, including the socket. It sends to a
 * loopback port that no thread reads, so that no other thread is measured. Run it with {@code -prof gc} to see how much
 * it allocates.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 2)
public class SweepBenchmark {
    private static final int COUNTERS = 10_000;
    private static final int CHANGED = 1_000;

    /** The maximum bytes of a datagram: to loopback, and to other addresses. */
    @Param({"65507", "1432"})
    public int datagramBytes;

    /** Whether the same counters change before each sweep, or the next thousand, so that more totals are repeated. */
    @Param({"true", "false"})
    public boolean same;

    private final int[] ids = new int[COUNTERS];
    private final DatagramSocket collector = open();
    private UdpTransport transport;
    private Sweep sweep;
    private int sweeps;

    /** Creates the counters, counts in another thread too, and opens a socket. */
    @Setup
    public void start() throws IOException {
        for (int i = 0; i < COUNTERS; i++) {
            ids[i] = Cells.id("shop.orders.placed,customer=" + i);
        }
        countElsewhere(ids[0]);
        transport = new UdpTransport(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), collector.getLocalPort()), datagramBytes);
        sweep = new Sweep(
                new CounterTable(Cells::sources),
                EmitterSettings.to("nowhere"),
                System::nanoTime,
                System::currentTimeMillis,
                () -> "stream-of-the-benchmark",
                1,
                counter -> 0);
    }

    @TearDown
    public void end() {
        transport.close();
        collector.close();
    }

    @Benchmark
    public int sweep() {
        int first = same ? 0 : sweeps++ * CHANGED % COUNTERS;
        for (int i = first; i < first + CHANGED; i++) {
            Cells.increment(ids[i]);
        }
        sweep.run(transport);
        return sweeps;
    }

    /** Adds one in another thread, which stays alive. */
    private static void countElsewhere(int id) {
        CountDownLatch counted = new CountDownLatch(1);
        Thread other = new Thread(() -> {
            Cells.increment(id);
            counted.countDown();
            while (true) {
                LockSupport.park();
            }
        });
        other.setDaemon(true);
        other.start();
        try {
            counted.await();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private static DatagramSocket open() {
        try {
            return new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        } catch (IOException taken) {
            throw new IllegalStateException(taken);
        }
    }
}
