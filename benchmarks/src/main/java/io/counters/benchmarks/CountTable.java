package io.counters.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs {@link CountBenchmark} under the agent with one and with two threads, and prints a Markdown table. */
public final class CountTable {
    private static final int[] THREADS = {1, 2};
    private static final List<String> ROWS = List.of(
            "nothing",
            "plainField",
            "plainFieldThatIsRead",
            "wovenCount",
            "counterHandle",
            "countersByLiteral",
            "countersMeterRegistry",
            "longAdder",
            "longAdderByName",
            "dropwizard",
            "micrometer",
            "micrometerStep",
            "prometheus",
            "openTelemetry",
            "dogstatsd");

    private static final List<String> REGISTRIES =
            List.of("countersMeterRegistry", "longAdder", "micrometer", "micrometerStep");

    private CountTable() {}

    /** @param arguments the path of counters.jar; {@code agent/target/counters.jar} by default */
    public static void main(String[] arguments) throws RunnerException {
        Path agent = Path.of(arguments.length > 0 ? arguments[0] : "agent/target/counters.jar")
                .toAbsolutePath();
        if (!Files.exists(agent)) {
            throw new IllegalArgumentException(
                    agent + " does not exist; build it with mvn -q package -DskipTests, or give its path");
        }
        List<Map<String, RunResult>> runs = new ArrayList<>();
        for (int threads : THREADS) {
            System.err.println("Threads: " + threads + "; this takes some minutes ...");
            runs.add(run(agent, threads));
        }
        System.out.println("| " + System.getProperty("java.vm.version")
                + " | ns, 1 thread | of LongAdder | ns, 2 threads | of LongAdder | bytes allocated |");
        System.out.println("| --- | --- | --- | --- | --- | --- |");
        for (String row : ROWS) {
            System.out.print("| " + row);
            for (Map<String, RunResult> run : runs) {
                RunResult result = run.get(row);
                double nanos = nanos(result);
                System.out.printf(
                        " | %.2f ± %.2f | %.2f",
                        nanos, result.getPrimaryResult().getScoreError(), nanos / nanos(run.get("longAdder")));
            }
            System.out.printf(
                    " | %.0f |%n",
                    runs.get(0)
                            .get(row)
                            .getSecondaryResults()
                            .get("gc.alloc.rate.norm")
                            .getScore());
        }
        printRegistries(runs);
    }

    /** What the counter of the Micrometer registry costs beside a handle, and beside the counters of other registries. */
    private static void printRegistries(List<Map<String, RunResult>> runs) {
        System.out.println();
        System.out.println("| of Counter.increment() | 1 thread | 2 threads | target |");
        System.out.println("| --- | --- | --- | --- |");
        for (String row : REGISTRIES) {
            System.out.print("| " + row);
            for (Map<String, RunResult> run : runs) {
                System.out.printf(Locale.ROOT, " | %.2f", nanos(run.get(row)) / nanos(run.get("counterHandle")));
            }
            System.out.println(row.equals(REGISTRIES.get(0)) ? " | 1.5 |" : " | |");
        }
    }

    private static double nanos(RunResult result) {
        return result.getPrimaryResult().getScore();
    }

    private static Map<String, RunResult> run(Path agent, int threads) throws RunnerException {
        int forks = Integer.getInteger("forks", 2);
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .include(CountBenchmark.class.getName() + "\\.")
                        .threads(threads)
                        .forks(forks)
                        .warmupTime(TimeValue.seconds(1))
                        // Nothing listens on that port: only counting is measured, but the sweep runs as usual.
                        .jvmArgsAppend("-javaagent:" + agent + "=collector=127.0.0.1:9,log=/dev/null")
                        .addProfiler(GCProfiler.class)
                        .verbosity(VerboseMode.SILENT)
                        .shouldFailOnError(true)
                        .build())
                .run();
        Map<String, RunResult> byName = new LinkedHashMap<>();
        for (RunResult result : results) {
            byName.put(result.getPrimaryResult().getLabel(), result);
        }
        return byName;
    }
}
