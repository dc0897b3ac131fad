package io.counters.benchmarks;

import io.counters.emit.CounterTable;
import io.counters.emit.EmitterSettings;
import io.counters.emit.Sweep;
import io.counters.emit.UdpTransport;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
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
 * One sweep of 10,000 counters of which 1,000 changed, counted by two threads, with the socket: to a port on loopback
 * that nobody reads, so that no other thread is measured. Run it with {@code -prof gc} for what it allocates.
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

    /** A datagram's most bytes: on loopback, and elsewhere. */
    @Param({"65507", "1432"})
    public int datagramBytes;

    /** Whether each sweep meets the same changed counters, or the next thousand, and so repeats more. */
    @Param({"true", "false"})
    public boolean same;

    private final AtomicLongArray cells = new AtomicLongArray(COUNTERS);
    private final DatagramSocket collector = open();
    private UdpTransport transport;
    private Sweep sweep;
    private int sweeps;

    /** Makes the names, cells as {@code Cells} would hold them, and a socket. */
    @Setup
    public void start() throws IOException {
        Map<String, Integer> ids = new HashMap<>();
        for (int i = 0; i < COUNTERS; i++) {
            ids.put("shop.orders.placed,customer=" + i, i);
        }
        IdentityHashMap<Thread, AtomicLongArray> rows = new IdentityHashMap<>();
        rows.put(Thread.currentThread(), cells);
        rows.put(other(), new AtomicLongArray(COUNTERS));
        Object[] source = {
            ids, rows, new AtomicReferenceArray<AtomicLongArray>(COUNTERS), new WeakReference<Class<?>>(getClass())
        };
        List<Object[]> sources = List.<Object[]>of(source);
        transport = new UdpTransport(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), collector.getLocalPort()), datagramBytes);
        sweep = new Sweep(
                new CounterTable(() -> sources),
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
            cells.lazySet(i, cells.get(i) + 1);
        }
        sweep.run(transport);
        return sweeps;
    }

    /** Another thread that counted, and lives. */
    private static Thread other() {
        Thread other = new Thread(() -> {
            while (true) {
                LockSupport.park();
            }
        });
        other.setDaemon(true);
        other.start();
        return other;
    }

    private static DatagramSocket open() {
        try {
            return new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        } catch (IOException taken) {
            throw new IllegalStateException(taken);
        }
    }
}
