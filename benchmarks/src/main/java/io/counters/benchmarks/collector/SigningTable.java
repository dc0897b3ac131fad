package io.counters.benchmarks.collector;

import static io.counters.benchmarks.collector.Row.median;
import static io.counters.benchmarks.collector.Row.text;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.wire.SigningKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What signatures add to the collector's cost: a collector that requires them, and one without keys, take turns with the
 * same lines. Of each turn the CPU of the whole process counts, and the ratio is the median of the ratios within a turn.
 */
final class SigningTable {
    private static final int TURNS = 7;
    private static final int NAMES = 1000;
    private static final int LINES = 25;
    private static final int DATAGRAMS_A_SECOND = 40_000;

    /** Rendered again before each turn, because a total is never sent twice. */
    private static final int DATAGRAMS_A_TURN = 3 * DATAGRAMS_A_SECOND;

    private static final int WARM_TURNS = 3;
    private static final String ID = "bench";
    private static final String SECRET = "0123456789abcdef0123456789abcdef";
    private static final String UDP_THREAD = "counters-udp";

    private static final Path JAR = Path.of("collector/target/collector.jar");

    private SigningTable() {}

    /** The CPU seconds per million lines: of the process, and of the thread that receives. */
    private record Cost(double process, double thread) {}

    /** A collector with its sender. */
    private static final class Player {
        private final CollectorProcess collector;
        private final Datagrams.Agent agent;
        final Cost[] costs = new Cost[TURNS];

        Player(CollectorProcess collector, @Nullable SigningKey key) {
            this.collector = collector;
            agent = new Datagrams.Agent("bench-0123456789abcdef", NAMES, LINES, DATAGRAMS_A_TURN, key);
        }

        Cost play() throws IOException, InterruptedException {
            Datagrams all = agent.next();
            long lines = collector.lines();
            double thread = collector.child().cpuSeconds(UDP_THREAD);
            double process = collector.child().cpuSeconds();
            try (Blast blast = new Blast(collector.port(), 1)) {
                blast.atRate(all, DATAGRAMS_A_TURN, DATAGRAMS_A_SECOND);
            }
            process = collector.child().cpuSeconds() - process;
            thread = collector.child().cpuSeconds(UDP_THREAD) - thread;
            double millions = (collector.lines() - lines) / 1e6;
            return new Cost(process / millions, thread / millions);
        }

        void play(int turn) throws IOException, InterruptedException {
            costs[turn] = play();
        }
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (!Files.isRegularFile(JAR)) {
            System.err.println(JAR + " is missing; build it with: mvn -q package -DskipTests");
            System.exit(2);
        }
        Path folder = Files.createTempDirectory("counters-bench");
        System.out.println(Machine.facts());
        System.out.println();
        System.out.println(Row.head());
        try {
            measure(folder);
        } finally {
            CollectorTable.delete(folder);
        }
    }

    private static void measure(Path folder) throws IOException, InterruptedException {
        // What openssl rand -hex would print: the hex digits of the secret's bytes.
        Path keys = Files.writeString(folder.resolve("keys"), ID + " " + hex(SECRET.getBytes(US_ASCII)) + "\n");
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-------"));
        try (CollectorProcess keyed = new CollectorProcess(JAR, folder.resolve("signed"), "--keys", keys.toString());
                CollectorProcess plain = new CollectorProcess(JAR, folder.resolve("unsigned"))) {
            Player signed = new Player(keyed, new SigningKey(ID, SECRET.getBytes(US_ASCII), ""));
            Player unsigned = new Player(plain, null);
            for (int turn = 0; turn < WARM_TURNS; turn++) {
                signed.play();
                unsigned.play();
            }
            for (int turn = 0; turn < TURNS; turn++) {
                (turn % 2 == 0 ? signed : unsigned).play(turn);
                (turn % 2 == 0 ? unsigned : signed).play(turn);
            }
            System.out.println(row(signed, unsigned).markdown());
        }
    }

    private static Row row(Player signed, Player unsigned) {
        double[] ratios = new double[TURNS];
        for (int turn = 0; turn < TURNS; turn++) {
            ratios[turn] = signed.costs[turn].process / unsigned.costs[turn].process;
        }
        Arrays.sort(ratios);
        return new Row(
                text(
                        "%,d datagrams a second with %d lines with totals, %,d names, signed, compared with the same unsigned (in"
                                + " place of the sink): CPU s per million lines",
                        DATAGRAMS_A_SECOND, LINES, NAMES),
                cost(signed),
                cost(unsigned),
                text("%.2f (%.2f to %.2f)", median(ratios), ratios[0], ratios[TURNS - 1]),
                "ratio 1.5");
    }

    private static String cost(Player player) {
        return text(
                "%.3f (UDP thread %.3f)",
                median(Arrays.stream(player.costs).mapToDouble(Cost::process).toArray()),
                median(Arrays.stream(player.costs).mapToDouble(Cost::thread).toArray()));
    }

    private static String hex(byte[] bytes) {
        StringBuilder hex = new StringBuilder();
        for (byte one : bytes) {
            hex.append(text("%02x", one));
        }
        return hex.toString();
    }
}
