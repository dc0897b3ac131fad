package io.counters.benchmarks.collector;

import static io.counters.benchmarks.collector.Row.text;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;

/**
 * What a data point of OTLP costs the collector as a process, from the socket to the commit, beside a line with a total over UDP: the
 * same counts under the same names, from as many senders, at the same rate. Three collectors take turns, and a ratio is the median of
 * the ratios within a turn. CPU time is that of the whole process without the JVM's compilers. Takes about five minutes.
 */
public final class OtlpPortTable {
    private static final Path JAR = Path.of("collector/target/collector.jar");
    private static final int SENDERS = 16;
    private static final int SERIES = 2_000;
    private static final int TURNS = 5;
    private static final int WARM_TURNS = 2;
    private static final int ROUNDS = 50;

    /** Longer than a commit takes, so that a sender has its answer before it sends again. */
    private static final long ROUND_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private static final String APPLIED = "ledger_applied_lines_total";

    private OtlpPortTable() {}

    /** How a sender's counts travel. */
    private enum Way {
        GZIP("OTLP, protobuf and gzip"),
        PLAIN("OTLP, protobuf"),
        LINES("lines with totals over UDP, " + SeriesLoad.LINES + " in a datagram");

        final String what;

        Way(String what) {
            this.what = what;
        }

        /** The messages of a sender that has counted each series up to a value. */
        List<byte[]> messages(SeriesLoad load, long value) throws IOException {
            return switch (this) {
                case GZIP -> List.of(gzip(load.export(value, true)));
                case PLAIN -> List.of(load.export(value, true));
                case LINES -> load.datagrams(value);
            };
        }

        Sender sender(CollectorProcess collector) throws IOException {
            return this == LINES ? new UdpSender(collector.port()) : new HttpSender(collector, this == GZIP);
        }
    }

    /** A process that sends. */
    private interface Sender extends AutoCloseable {
        void send(byte[] message) throws IOException, InterruptedException;

        @Override
        void close();
    }

    private static final class UdpSender implements Sender {
        private final DatagramSocket socket;

        UdpSender(int port) throws IOException {
            socket = new DatagramSocket();
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        }

        @Override
        public void send(byte[] message) throws IOException {
            socket.send(new DatagramPacket(message, message.length));
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    /** Requests, one after the other, over one connection. */
    private static final class HttpSender implements Sender {
        private final HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        private final HttpRequest.Builder request;

        HttpSender(CollectorProcess collector, boolean isGzip) throws IOException {
            request = HttpRequest.newBuilder(collector.otlp()).header("Content-Type", "application/x-protobuf");
            if (isGzip) {
                request.header("Content-Encoding", "gzip");
            }
        }

        @Override
        public void send(byte[] message) throws IOException, InterruptedException {
            HttpResponse<byte[]> answer = http.send(
                    request.POST(HttpRequest.BodyPublishers.ofByteArray(message))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            if (answer.statusCode() != 200) {
                throw new IOException("the collector answered with " + answer.statusCode());
            }
        }

        @Override
        public void close() {
            // Its connection ends with the collector.
        }
    }

    /** A collector that gets the same counts in its way. */
    private static final class Player implements AutoCloseable {
        final Way way;
        final double[] perMillion = new double[TURNS];
        private final CollectorProcess collector;
        private final List<SeriesLoad> loads;
        private final List<Sender> senders = new ArrayList<>();
        private long value;
        long bytes;
        long lost;
        double secondsMax;

        Player(Way way, Path folder, long startNanos) throws IOException {
            this.way = way;
            collector = new CollectorProcess(JAR, folder.resolve(way.name()), "--otlp-port", "0");
            loads = IntStream.range(0, SENDERS)
                    .mapToObj(i -> new SeriesLoad(i, SERIES, startNanos, ROUND_NANOS))
                    .toList();
            for (int i = 0; i < SENDERS; i++) {
                senders.add(way.sender(collector));
            }
        }

        /** All senders send for as many rounds; returns the CPU seconds per million lines that were applied. */
        double play() throws IOException, InterruptedException {
            List<List<List<byte[]>>> messages = new ArrayList<>();
            for (SeriesLoad load : loads) {
                List<List<byte[]>> rounds = new ArrayList<>();
                for (int round = 1; round <= ROUNDS; round++) {
                    rounds.add(way.messages(load, value + round));
                }
                messages.add(rounds);
            }
            value += ROUNDS;
            bytes = messages.stream()
                    .flatMap(List::stream)
                    .flatMap(List::stream)
                    .mapToLong(message -> message.length)
                    .sum();
            long linesBefore = collector.metric(APPLIED);
            double before = collector.child().steadyCpuSeconds();
            secondsMax = Math.max(secondsMax, send(messages));
            long lines = collector.lines() - linesBefore;
            lost += (long) SENDERS * SERIES * ROUNDS - lines;
            return (collector.child().steadyCpuSeconds() - before) / (lines / 1e6);
        }

        private double send(List<List<List<byte[]>>> messages) throws IOException, InterruptedException {
            ExecutorService threads = Executors.newFixedThreadPool(SENDERS);
            long begun = System.nanoTime();
            try {
                List<Future<?>> all = new ArrayList<>();
                for (int i = 0; i < SENDERS; i++) {
                    int sender = i;
                    all.add(threads.submit(() -> {
                        send(senders.get(sender), messages.get(sender), begun + sender * ROUND_NANOS / SENDERS);
                        return null;
                    }));
                }
                for (Future<?> one : all) {
                    one.get();
                }
            } catch (ExecutionException failure) {
                throw new IOException(failure.getCause());
            } finally {
                threads.shutdownNow();
            }
            return (System.nanoTime() - begun) / 1e9;
        }

        private static void send(Sender sender, List<List<byte[]>> rounds, long begun)
                throws IOException, InterruptedException {
            for (int round = 0; round < rounds.size(); round++) {
                long due = begun + round * ROUND_NANOS;
                for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                for (byte[] message : rounds.get(round)) {
                    sender.send(message);
                }
            }
        }

        @Override
        public void close() {
            senders.forEach(Sender::close);
            try {
                collector.close();
            } catch (IOException cannot) {
                throw new UncheckedIOException(cannot);
            }
        }
    }

    /** @param arguments none */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("counters-bench");
        System.out.println(Machine.facts());
        System.out.println();
        List<Player> players = new ArrayList<>();
        try {
            long startNanos = TimeUnit.SECONDS.toNanos(Instant.now().getEpochSecond() - TimeUnit.HOURS.toSeconds(1));
            for (Way way : Way.values()) {
                players.add(new Player(way, folder, startNanos));
            }
            for (int turn = -WARM_TURNS; turn < TURNS; turn++) {
                for (int i = 0; i < players.size(); i++) {
                    Player player = players.get(Math.floorMod(turn + i, players.size()));
                    double cost = player.play();
                    if (turn >= 0) {
                        player.perMillion[turn] = cost;
                    }
                }
            }
            print(players);
        } finally {
            players.forEach(Player::close);
            CollectorTable.delete(folder);
        }
    }

    private static void print(List<Player> players) {
        System.out.println(
                "| what is sent | CPU s per million | beside the lines | bytes each | lost | longest turn |");
        System.out.println("| --- | --- | --- | --- | --- | --- |");
        Player lines = players.get(Way.LINES.ordinal());
        for (Player player : players) {
            double[] ratios = IntStream.range(0, TURNS)
                    .mapToDouble(turn -> player.perMillion[turn] / lines.perMillion[turn])
                    .sorted()
                    .toArray();
            double[] costs = player.perMillion.clone();
            Arrays.sort(costs);
            System.out.println(text(
                    "| %s | %.3f (%.3f to %.3f) | %.2f (%.2f to %.2f) | %d | %d | %.1f s |",
                    player.way.what,
                    Row.median(costs),
                    costs[0],
                    costs[TURNS - 1],
                    Row.median(ratios),
                    ratios[0],
                    ratios[TURNS - 1],
                    player.bytes / ((long) SENDERS * SERIES * ROUNDS),
                    player.lost,
                    player.secondsMax));
        }
    }

    private static byte[] gzip(byte[] plain) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }
}
