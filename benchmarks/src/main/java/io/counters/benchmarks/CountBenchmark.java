package io.counters.benchmarks;

import io.counters.Counter;
import io.counters.Counters;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One count, each way, beside what a service would write without us. Run it with {@code -t 1} and {@code -t 2}: all but
 * {@link #plainField} count into something that the threads share, and all but that are exact.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class CountBenchmark {
    /** What all threads count into. */
    @State(Scope.Benchmark)
    public static class Shared {
        final Counter counter = Counters.counter("benchmark.handle");
        final LongAdder adder = new LongAdder();
        final ConcurrentHashMap<String, LongAdder> adders = new ConcurrentHashMap<>();

        public Shared() {
            adders.put("benchmark.map", new LongAdder());
        }
    }

    /** What one thread counts into: the floor, which no counter that threads share can reach. */
    @State(Scope.Thread)
    public static class Own {
        long field;
    }

    @Benchmark
    public long plainField(Own own) {
        return ++own.field;
    }

    @Benchmark
    public void counterHandle(Shared shared) {
        shared.counter.increment();
    }

    @Benchmark
    public void countersByLiteral() {
        Counters.increment("benchmark.literal");
    }

    @Benchmark
    public void longAdder(Shared shared) {
        shared.adder.increment();
    }

    @Benchmark
    public void longAdderByName(Shared shared) {
        LongAdder adder = shared.adders.get("benchmark.map");
        if (adder != null) {
            adder.increment();
        }
    }
}
