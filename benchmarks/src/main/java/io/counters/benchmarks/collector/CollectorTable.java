package io.counters.benchmarks.collector;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Starts the collector the way users start it, sends it load over loopback, and prints its cost next to the targets as a
 * Markdown table. Takes about ten minutes.
 */
final class CollectorTable {
    private static final Path JAR = Path.of("collector/target/collector.jar");

    private CollectorTable() {}

    /**
     * @param arguments nothing, or the path of the program {@code udpsink}, which then replaces our own {@link Sink}
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (!Files.isRegularFile(JAR)) {
            System.err.println(JAR + " is missing; build it with: mvn -q package -DskipTests");
            System.exit(2);
        }
        Path folder = Files.createTempDirectory("counters-bench");
        Consumer<Row> table = row -> System.out.println(row.markdown());
        System.out.println(Machine.facts());
        System.out.println();
        System.out.println(Row.head());
        try {
            try (CollectorProcess collector = new CollectorProcess(JAR, folder.resolve("intake"));
                    Receiver sink = arguments.length > 0
                            ? new UdpsinkProcess(arguments[0])
                            : new SinkProcess(Layer.COLLECTOR)) {
                new IntakeRows(collector, sink, table).measure();
            }
            new HistoryRows(JAR, folder, table).measure();
            new ScaleRows(JAR, folder, table).measure();
        } finally {
            delete(folder);
        }
    }

    static void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(folder)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }
}
