package io.counters.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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
import org.openjdk.jmh.annotations.Warmup;

/** Finds the server that owns a name: an MD5, and a search on the ring. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class RingBenchmark {
    private static final int NAMES = 1000;

    @Param({"1", "3", "117"})
    public int servers;

    private final byte[][] names = new byte[NAMES][];
    private final KetamaHash hash = new KetamaHash();
    private KetamaRing ring;
    private int at;

    @Setup
    public void build() {
        long[] weights = new long[servers];
        Arrays.fill(weights, 1);
        ring = new KetamaRing(
                IntStream.range(0, servers)
                        .mapToObj(i -> "10.0.0." + i + ":8125")
                        .toList(),
                weights);
        for (int i = 0; i < NAMES; i++) {
            names[i] = ("shop.orders.placed." + i).getBytes(US_ASCII);
        }
    }

    @Benchmark
    public int owner() {
        at = at + 1 < NAMES ? at + 1 : 0;
        return ring.owner(names[at], 0, names[at].length, hash);
    }
}
