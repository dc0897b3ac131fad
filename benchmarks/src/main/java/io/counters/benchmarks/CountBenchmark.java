package io.counters.benchmarks;

import com.codahale.metrics.MetricRegistry;
import com.timgroup.statsd.NonBlockingStatsDClientBuilder;
import com.timgroup.statsd.StatsDClient;
import io.counters.Count;
import io.counters.Counter;
import io.counters.Counters;
import io.counters.micrometer.CountersMeterRegistry;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One small method: uncounted, with an increment of a plain field, and counted in each way that this and other
 * libraries offer. {@link CountTable} runs it under the agent and prints the table of docs/benchmarks.md. All counts
 * are exact, except {@link #plainField}, which counts for each thread alone, and {@link #dogstatsd}, which drops counts
 * under load.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CountBenchmark {
    private static final String WOVEN = "benchmark.woven";

    /** The counter that all threads share. */
    @State(Scope.Benchmark)
    public static class Ours {
        final Counter counter = Counters.counter("benchmark.handle");

        @TearDown
        public void prove_that_it_counted() throws ReflectiveOperationException {
            Woven.prove();
        }
    }

    @State(Scope.Benchmark)
    public static class Jdk {
        final LongAdder adder = new LongAdder();
        final ConcurrentHashMap<String, LongAdder> adders = new ConcurrentHashMap<>();

        public Jdk() {
            adders.put("benchmark.map", new LongAdder());
        }
    }

    @State(Scope.Benchmark)
    public static class Micrometer {
        final io.micrometer.core.instrument.Counter counter = new SimpleMeterRegistry().counter("benchmark.count");

        /** The counter of registries that push at steps. */
        final io.micrometer.core.instrument.Counter step = new SimpleMeterRegistry(
                        key -> key.equals("simple.mode") ? "STEP" : null, Clock.SYSTEM)
                .counter("benchmark.count");

        final io.micrometer.core.instrument.Counter ours =
                new CountersMeterRegistry().counter("benchmark.micrometer", "method", "card");
    }

    @State(Scope.Benchmark)
    public static class Dropwizard {
        final com.codahale.metrics.Counter counter = new MetricRegistry().counter("benchmark.count");
    }

    @State(Scope.Benchmark)
    public static class Prometheus {
        final io.prometheus.metrics.core.metrics.Counter counter = io.prometheus.metrics.core.metrics.Counter.builder()
                .name("benchmark_count")
                .build();
    }

    @State(Scope.Benchmark)
    public static class OpenTelemetry {
        final SdkMeterProvider provider = SdkMeterProvider.builder()
                .registerMetricReader(io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader.create())
                .build();
        final LongCounter counter =
                provider.get("benchmark").counterBuilder("benchmark.count").build();
    }

    @State(Scope.Benchmark)
    public static class Dogstatsd {
        private DatagramSocket nobodyReads;
        StatsDClient client;

        @Setup
        public void open() throws IOException {
            nobodyReads = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            client = new NonBlockingStatsDClientBuilder()
                    .hostname("127.0.0.1")
                    .port(nobodyReads.getLocalPort())
                    .build();
        }

        @TearDown
        public void close() {
            client.close();
            nobodyReads.close();
        }
    }

    /** A thread's own fields: a lower bound, which no counter shared by threads can reach. */
    @State(Scope.Thread)
    public static class Own {
        long x = 3;
        long field;
    }

    /** The work of the method itself. */
    private static long work(Own own) {
        return own.x * 31 + 7;
    }

    @Benchmark
    public long nothing(Own own) {
        return work(own);
    }

    @Benchmark
    public long plainField(Own own) {
        own.field++;
        return work(own);
    }

    /** Like {@link #plainField}, but the program uses each new value, so that the CPU cannot run ahead. */
    @Benchmark
    public long plainFieldThatIsRead(Own own) {
        return ++own.field * work(own);
    }

    @Benchmark
    @Count(WOVEN)
    public long wovenCount(Own own, Ours ours) {
        return work(own);
    }

    @Benchmark
    public long counterHandle(Own own, Ours ours) {
        ours.counter.increment();
        return work(own);
    }

    @Benchmark
    public long countersByLiteral(Own own) {
        Counters.increment("benchmark.literal");
        return work(own);
    }

    @Benchmark
    public long longAdder(Own own, Jdk jdk) {
        jdk.adder.increment();
        return work(own);
    }

    @Benchmark
    public long longAdderByName(Own own, Jdk jdk) {
        LongAdder adder = jdk.adders.get("benchmark.map");
        if (adder != null) {
            adder.increment();
        }
        return work(own);
    }

    @Benchmark
    public long micrometer(Own own, Micrometer micrometer) {
        micrometer.counter.increment();
        return work(own);
    }

    @Benchmark
    public long micrometerStep(Own own, Micrometer micrometer) {
        micrometer.step.increment();
        return work(own);
    }

    @Benchmark
    public long countersMeterRegistry(Own own, Micrometer micrometer) {
        micrometer.ours.increment();
        return work(own);
    }

    @Benchmark
    public long dropwizard(Own own, Dropwizard dropwizard) {
        dropwizard.counter.inc();
        return work(own);
    }

    @Benchmark
    public long prometheus(Own own, Prometheus prometheus) {
        prometheus.counter.inc();
        return work(own);
    }

    @Benchmark
    public long openTelemetry(Own own, OpenTelemetry openTelemetry) {
        openTelemetry.counter.add(1);
        return work(own);
    }

    @Benchmark
    public long dogstatsd(Own own, Dogstatsd dogstatsd) {
        dogstatsd.client.incrementCounter("benchmark.count");
        return work(own);
    }

    /** Fails unless the method was instrumented; otherwise its benchmark would measure an uncounted method. */
    private static final class Woven {
        static void prove() throws ReflectiveOperationException {
            Class<?> bridge = Class.forName("java.lang.CountersCells", false, null);
            for (Object source : (Iterable<?>) bridge.getMethod("sources").invoke(null)) {
                Integer id =
                        io.counters.cells.CellSource.names((Object[]) source).get(WOVEN);
                if (id != null) {
                    return;
                }
            }
            throw new IllegalStateException(WOVEN
                    + " is not counted, because there is no agent; run io.counters.benchmarks.CountTable instead");
        }
    }
}
