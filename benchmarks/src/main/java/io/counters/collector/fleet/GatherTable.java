package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.DatagramWriter;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * What a line costs a collector of a fleet, beside what it costs the embedded ledger: CPU ns of the threads that do it, in
 * windows of 50 ms at a million lines a second. Datagrams of 25 lines with totals from two senders; reading them from a
 * socket is in none of the figures. With the address of a broker as its argument, records go to Kafka; otherwise they are
 * kept for the owner. Stands in this package because what it measures is not public.
 */
final class GatherTable {
    private static final int PARTITIONS = 64;
    private static final int LINES = 25;
    private static final int SENDERS = 2;
    private static final int DATAGRAMS = 2000;
    private static final int WINDOWS_WARM = 100;
    private static final int WINDOWS = 100;
    private static final long WINDOW_MILLIS = 50;
    private static final long HEAP = 512 << 20;
    private static final String PREFIX = "bench";
    private static final String TOPIC = PREFIX + ".lines";
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final @Nullable String bootstrap;
    private final int names;
    private final FaultLog faults = new FaultLog(LoggerFactory.getLogger(GatherTable.class), System::nanoTime);
    private long nowMillis = 60_000;

    private GatherTable(@Nullable String bootstrap, int names) {
        this.bootstrap = bootstrap;
        this.names = names;
    }

    /** @param arguments nothing, or {@code HOST:PORT} of a broker, on which the topic {@code bench.lines} is made */
    public static void main(String[] arguments) throws InterruptedException, ExecutionException {
        String bootstrap = arguments.length > 0 ? arguments[0] : null;
        if (bootstrap != null) {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
                admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)))
                        .all()
                        .get();
            }
        }
        System.out.println("| names | embedded ledger: read and merge | gather: read and merge into a window |"
                + " write the window | Kafka's producer: network thread | owner: read records and merge | lines sent, of"
                + " those that arrived | bytes sent a line that arrived |");
        System.out.println("| --- | --- | --- | --- | --- | --- | --- | --- |");
        for (int names : new int[] {1000, 100_000}) {
            new GatherTable(bootstrap, names).measure();
        }
    }

    /** Renders datagrams like a service under the agent. */
    private static final class Senders {
        private final byte[][] names;
        private final long[][] totals;
        private final long[] seqs = new long[SENDERS];
        private final int[] next = new int[SENDERS];
        private final DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_DEFAULT);

        Senders(int count) {
            names = IntStream.range(0, count)
                    .mapToObj(i -> ("c" + i).getBytes(ISO_8859_1))
                    .toArray(byte[][]::new);
            totals = new long[SENDERS][count];
        }

        List<byte[]> datagrams() {
            List<byte[]> datagrams = new ArrayList<>();
            for (int i = 0; i < DATAGRAMS; i++) {
                int sender = i % SENDERS;
                writer.clear();
                writer.from(("bench-0123456789abcdef-" + sender).getBytes(ISO_8859_1), 60_000, ++seqs[sender]);
                for (int line = 0; line < LINES; line++) {
                    int name = next[sender];
                    writer.command(Verb.INCREMENT, names[name], 1, ++totals[sender][name]);
                    next[sender] = (name + 1) % names.length;
                }
                datagrams.add(Arrays.copyOf(writer.buffer(), writer.length()));
            }
            return datagrams;
        }
    }

    /** Hands over datagrams as intake does. */
    private static final class Reader implements Commands {
        private final LineTarget target;
        private final CommandReader reader = new CommandReader(this);
        private @Nullable Object stream;

        Reader(LineTarget target) {
            this.target = target;
        }

        void read(List<byte[]> datagrams) {
            for (byte[] datagram : datagrams) {
                target.batch(() -> reader.datagram(datagram, 0, datagram.length));
            }
        }

        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
            stream = target.stream(bytes, begin, end, ageMillis, seq, 0);
        }

        @Override
        public void fromNobody() {
            stream = null;
        }

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
            target.merge(stream, verb, bytes, begin, end, amount, total);
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            throw new IllegalStateException(why.rule());
        }
    }

    /** A record that was written. */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Row(int partition, byte[] text) {}

    /** Keeps the records of a window for the owner. */
    private static final class Kept implements LineLog {
        private final List<Row> rows = new ArrayList<>();

        @Override
        public boolean hasRoom() {
            return true;
        }

        @Override
        public long waitingBytes() {
            return 0;
        }

        @Override
        public long waitingBytesMax() {
            return 0;
        }

        @Override
        public void append(int partition, byte[] text, long wallMillis, Contents contents, Answers answers) {
            rows.add(new Row(partition, text));
            answers.acknowledged(contents);
        }

        @Override
        public void endWithin(long millis) {
            // Nothing waits.
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    private Ledger ledger() {
        return new Ledger(
                LedgerSettings.in(Path.of("unused")),
                false,
                () -> nowMillis,
                () -> nowMillis / 1000,
                new LedgerState(1, new SeededHash(new Random(1))),
                new Metrics());
    }

    private void measure() throws InterruptedException {
        long embedded = embedded();
        Metrics metrics = new Metrics();
        Kept kept = new Kept();
        LineLog log = bootstrap == null
                ? kept
                : new KafkaLines(
                        new FleetSettings(
                                List.of(bootstrap.split(",", -1)), PREFIX, "one", PARTITIONS, 1 << 30, Map.of()),
                        Gatherer.producerBytes(HEAP),
                        System::nanoTime,
                        faults);
        Gatherer gatherer = new Gatherer(
                log,
                PARTITIONS,
                HEAP,
                () -> nowMillis * 1_000_000,
                System::currentTimeMillis,
                new SeededHash(new Random(1)),
                faults,
                metrics);
        Reader reader = new Reader(gatherer);
        Senders senders = new Senders(names);
        List<LineRecords> owners = IntStream.range(0, PARTITIONS)
                .mapToObj(i -> new LineRecords(ledger(), faults, new Metrics()))
                .toList();
        long[] cpu = new long[3];
        long network = 0;
        long bytes = 0;
        long sent = 0;
        for (int window = 0; window < WINDOWS_WARM + WINDOWS; window++) {
            if (window == WINDOWS_WARM) {
                Arrays.fill(cpu, 0);
                network = networkNanos();
                bytes = metrics.values().getOrDefault("fleet_sent_bytes_total", 0L);
                sent = metrics.values().getOrDefault("fleet_sent_lines_total", 0L);
            }
            List<byte[]> datagrams = senders.datagrams();
            long begin = THREADS.getCurrentThreadCpuTime();
            reader.read(datagrams);
            long read = THREADS.getCurrentThreadCpuTime();
            nowMillis += WINDOW_MILLIS;
            gatherer.run();
            long written = THREADS.getCurrentThreadCpuTime();
            kept.rows.forEach(row -> owners.get(row.partition()).merge(row.text(), nowMillis, nowMillis));
            long merged = THREADS.getCurrentThreadCpuTime();
            kept.rows.clear();
            cpu[0] += read - begin;
            cpu[1] += written - read;
            cpu[2] += merged - written;
        }
        while (log.waitingBytes() > 0) {
            Thread.sleep(10);
        }
        network = networkNanos() - network;
        gatherer.close();
        double lines = (double) WINDOWS * DATAGRAMS * LINES;
        Map<String, Long> now = metrics.values();
        System.out.printf(
                Locale.ROOT,
                "| %,d | %.0f | %.0f | %.0f | %s | %s | %.0f %% | %.1f |%n",
                names,
                embedded / lines,
                cpu[0] / lines,
                cpu[1] / lines,
                bootstrap == null ? "" : String.format(Locale.ROOT, "%.0f", network / lines),
                bootstrap == null ? String.format(Locale.ROOT, "%.0f", cpu[2] / lines) : "",
                100 * (now.getOrDefault("fleet_sent_lines_total", 0L) - sent) / lines,
                (now.getOrDefault("fleet_sent_bytes_total", 0L) - bytes) / lines);
    }

    /** CPU ns of reading the same datagrams into a ledger. */
    private long embedded() {
        Reader reader = new Reader(LineTarget.of(ledger()));
        Senders senders = new Senders(names);
        long cpu = 0;
        for (int window = 0; window < WINDOWS_WARM + WINDOWS; window++) {
            List<byte[]> datagrams = senders.datagrams();
            long begin = THREADS.getCurrentThreadCpuTime();
            reader.read(datagrams);
            cpu += window < WINDOWS_WARM ? 0 : THREADS.getCurrentThreadCpuTime() - begin;
        }
        return cpu;
    }

    private static long networkNanos() {
        long nanos = 0;
        for (long id : THREADS.getAllThreadIds()) {
            var info = THREADS.getThreadInfo(id);
            if (info != null && info.getThreadName().startsWith("kafka-producer-network-thread")) {
                nanos += Math.max(0, THREADS.getThreadCpuTime(id));
            }
        }
        return nanos;
    }
}
