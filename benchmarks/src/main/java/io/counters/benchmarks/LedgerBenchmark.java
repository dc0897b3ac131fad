package io.counters.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.InboundStream;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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

/**
 * Merges one line with a known name into the collector's ledger, in the form in which the reader hands it over. As in
 * datagrams, the bytes of the names are adjacent in memory, but their counters are not: the names are in an order that
 * is shuffled once.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class LedgerBenchmark {
    @Param({"1000", "100000", "1000000"})
    public int counters;

    private Ledger ledger;
    private InboundStream stream;
    private byte[] text;
    private int[] ends;
    private long[] totals;
    private int at;

    @Setup
    public void fill() {
        ledger = new Ledger(
                LedgerSettings.in(Path.of("unused")),
                false,
                System::currentTimeMillis,
                () -> System.currentTimeMillis() / 1000,
                new LedgerState(1, new SeededHash(new Random(1))),
                new Metrics());
        byte[] sender = "8f2c6a1e0b7d4c93a5e1f07b".getBytes(US_ASCII);
        stream = ledger.stream(sender, 0, sender.length, 61_000, 1, 0);
        totals = new long[counters];
        List<String> names = new ArrayList<>();
        for (int i = 0; i < counters; i++) {
            names.add("shop.orders.placed." + i);
            byte[] name = names.get(i).getBytes(US_ASCII);
            ledger.merge(stream, Verb.INCREMENT, name, 0, name.length, 1, ++totals[i]);
        }
        Collections.shuffle(names, new Random(1));
        ends = new int[counters];
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < counters; i++) {
            ends[i] = all.append(names.get(i)).length();
        }
        text = all.toString().getBytes(US_ASCII);
    }

    @Benchmark
    public long bareLine() {
        int i = next();
        return ledger.merge(null, Verb.INCREMENT, text, i == 0 ? 0 : ends[i - 1], ends[i], 1, Commands.NO_TOTAL);
    }

    @Benchmark
    public long lineWithTotal() {
        int i = next();
        return ledger.merge(stream, Verb.INCREMENT, text, i == 0 ? 0 : ends[i - 1], ends[i], 1, ++totals[i]);
    }

    private int next() {
        at = at + 1 < counters ? at + 1 : 0;
        return at;
    }
}
