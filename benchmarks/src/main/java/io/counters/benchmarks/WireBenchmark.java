package io.counters.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.DatagramWriter;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Reads one datagram of 25 lines with the collector's reader; a line costs a twenty-fifth of the figure. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class WireBenchmark {
    private static final int LINES = 25;

    private final byte[] statsd = statsd("");
    private final byte[] rated = statsd("|@0.1");
    private final byte[] tagged = statsd("|#zone:b,host:a");
    private final byte[] totals = totals();
    private final Sum sum = new Sum();
    private final CommandReader reader = new CommandReader(sum);

    @Benchmark
    public long statsdLines() {
        reader.datagram(statsd, 0, statsd.length);
        return sum.all;
    }

    @Benchmark
    public long statsdLinesWithRates() {
        reader.datagram(rated, 0, rated.length);
        return sum.all;
    }

    @Benchmark
    public long statsdLinesWithTags() {
        reader.datagram(tagged, 0, tagged.length);
        return sum.all;
    }

    @Benchmark
    public long fromAndTotals() {
        reader.datagram(totals, 0, totals.length);
        return sum.all;
    }

    private static byte[] statsd(String fields) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < LINES; i++) {
            lines.append("shop.orders.placed.")
                    .append(i)
                    .append(':')
                    .append(i)
                    .append("|c")
                    .append(fields)
                    .append('\n');
        }
        return lines.toString().getBytes(ISO_8859_1);
    }

    private static byte[] totals() {
        DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_MAX);
        writer.from("8f2c6a1e0b7d4c93a5e1f07b".getBytes(ISO_8859_1), 61_000, 58);
        for (int i = 0; i < LINES; i++) {
            writer.command(Verb.INCREMENT, ("shop.orders.placed." + i).getBytes(ISO_8859_1), i, 100_000L + i);
        }
        return Arrays.copyOf(writer.buffer(), writer.length());
    }

    /** Adds up everything that is handed over, so that the compiler removes nothing. */
    private static final class Sum implements Commands {
        long all;

        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
            all += ageMillis + seq;
        }

        @Override
        public void fromNobody() {
            all++;
        }

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
            all += amount + total + end - begin;
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            throw new AssertionError(why.rule());
        }
    }
}
