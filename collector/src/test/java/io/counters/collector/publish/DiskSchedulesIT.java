package io.counters.collector.publish;

import static io.counters.testsupport.CollectorProgram.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.Faults;
import io.counters.collector.Faults.Slot;
import io.counters.testsupport.CollectorProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * collector.jar on a disk that fails at random, with ends and kills at random: at the end every counter has its senders'
 * value, no ledger is set aside, every tick that was in the spool has arrived, and none that was reported as lost.
 *
 * <p>{@code -Dschedules=200} runs 200 seeds; {@code -Dschedules.first=17 -Dschedules=1} repeats seed 17.
 */
@Tag("once")
class DiskSchedulesIT {
    private static final int STEPS = 14;
    private static final int EXIT_CANNOT = 1;
    private static final int EXIT_UNCOMMITTED = 4;
    private static final int EXIT_SIGTERM = 143;
    private static final Duration END = Duration.ofSeconds(30);
    private static final Pattern TICK = Pattern.compile("(\\d+)-(\\d+)\\.tick\\.[0-9a-f]{8}");
    private static final Pattern LOST = Pattern.compile("loses the points of second (\\d+)");

    static LongStream seeds() {
        long first = Long.getLong("schedules.first", 1);
        return LongStream.range(first, first + Long.getLong("schedules", 4));
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void counts_and_ticks_survive_any_disk_faults(long seed, @TempDir Path folder) throws Exception {
        AtomicBoolean up = new AtomicBoolean(true);
        try (Tsd tsd = new Tsd(put -> up.get() ? 204 : 503);
                Schedule schedule = new Schedule(seed, folder, tsd, up)) {
            schedule.run();
        }
    }

    /** A sender that sends totals like an agent, and repeats them at random. */
    private static final class Sender {
        private final String id;
        private long seq;
        private final SortedMap<String, Long> totals = new TreeMap<>();

        Sender(int number) {
            id = "8f2c6a1e0b7d4c93a5e1f0" + (10 + number);
        }

        void count(String name, int amount) {
            totals.merge(name, (long) amount, Long::sum);
        }

        String datagram() {
            seq++;
            StringBuilder lines = new StringBuilder("from " + id + " " + 10 * seq + " " + seq);
            totals.forEach((name, total) ->
                    lines.append("\nincrement ").append(name).append(" 0 ").append(total));
            return lines.toString();
        }
    }

    /** One collector with all its restarts. */
    private static final class Schedule implements AutoCloseable {
        private final Random random;
        private final Path folder;
        private final Tsd tsd;
        private final AtomicBoolean up;
        private final Faults faults;
        private final List<Sender> senders = List.of(new Sender(0), new Sender(1), new Sender(2));
        private final Map<Long, Integer> spooled = new TreeMap<>();
        private final Set<Long> lost = new HashSet<>();
        private final List<String> told = new ArrayList<>();
        private CollectorProgram child;

        Schedule(long seed, Path folder, Tsd tsd, AtomicBoolean up) throws IOException {
            random = new Random(seed);
            this.folder = folder;
            this.tsd = tsd;
            this.up = up;
            told.add("seed " + seed);
            faults = new Faults(folder.resolve("control"), Files.createDirectory(folder.resolve("data")));
            child = started();
        }

        void run() throws IOException {
            for (int step = 0; step < STEPS; step++) {
                if (random.nextInt(3) == 0) {
                    faults.heal();
                } else if (random.nextInt(2) == 0) {
                    fault();
                }
                up.set(random.nextInt(3) > 0);
                count();
                if (random.nextInt(8) == 0) {
                    kill();
                } else if (random.nextInt(10) == 0) {
                    end();
                } else {
                    int pause = random.nextInt(250);
                    await().pollDelay(Duration.ofMillis(pause)).until(() -> true);
                }
            }
            recover();
        }

        private void fault() {
            switch (random.nextInt(12)) {
                case 0 -> set(Slot.SYNC_ERRNO, Faults.EIO);
                case 1 -> set(Slot.SYNC_ERRNO, Faults.ENOSPC);
                case 2 -> set(Slot.SYNC_FOLDER_ERRNO, Faults.EIO);
                case 3 -> set(Slot.SYNC_MILLIS, 20 + random.nextInt(400));
                case 4 -> set(Slot.WRITE_ERRNO, Faults.EIO);
                case 5 -> set(Slot.WRITE_ERRNO, Faults.ENOSPC);
                case 6 -> set(Slot.WRITES_UNTIL_FULL, 1 + random.nextInt(40));
                case 7 -> set(Slot.READ_ERRNO, Faults.EIO);
                case 8 -> set(Slot.OPEN_ERRNO, random.nextBoolean() ? Faults.ENOSPC : Faults.EACCES);
                case 9 -> set(Slot.UNLINK_ERRNO, Faults.EIO);
                case 10 -> set(Slot.RENAME_ERRNO, Faults.EIO);
                default -> {
                    set(Slot.CALLS_UNTIL_FAULT, 1 + random.nextInt(60));
                    set(Slot.CALLS_FAIL, 1 + random.nextInt(5));
                    set(Slot.CALLS_ERRNO, Faults.EIO);
                }
            }
        }

        private void set(Slot slot, long value) {
            told.add(slot + "=" + value);
            faults.set(slot, value);
        }

        private void count() throws IOException {
            for (Sender sender : senders) {
                for (int i = random.nextInt(6); i > 0; i--) {
                    sender.count("c" + random.nextInt(200), 1 + random.nextInt(1000));
                }
                if (random.nextInt(5) > 0) {
                    child.send(sender.datagram());
                }
            }
        }

        private SortedMap<String, Long> wanted() {
            SortedMap<String, Long> sums = new TreeMap<>();
            senders.forEach(sender -> sender.totals.forEach((name, total) -> sums.merge(name, total, Long::sum)));
            return sums;
        }

        private void kill() throws IOException {
            told.add("kill");
            child.kill();
            takeNote();
            if (random.nextBoolean()) {
                faults.heal();
            }
            child = started();
        }

        private void end() throws IOException {
            told.add("end");
            for (Sender sender : senders) {
                child.send(sender.datagram());
            }
            child.terminate();
            int status = child.status(END);
            takeNote();
            assertThat(status).as(this::all).isIn(EXIT_SIGTERM, EXIT_UNCOMMITTED);
            told.add("exit " + status);
            faults.heal();
            child = started();
            if (status == EXIT_SIGTERM) {
                assertThat(child.counters()).as(this::all).isEqualTo(wanted());
            }
        }

        /** Records what the run that has ended has left. */
        private void takeNote() throws IOException {
            for (String name : Faults.files(folder, "spool/opentsdb")) {
                Matcher tick = TICK.matcher(name);
                if (tick.matches()) {
                    spooled.put(Long.parseLong(tick.group(1)), Integer.parseInt(tick.group(2)));
                }
            }
            Matcher said = LOST.matcher(child.log());
            while (said.find()) {
                lost.add(Long.parseLong(said.group(1)));
            }
            assertNothingIsSetAside();
        }

        /** A start that the disk prevents logs the reason, and loses nothing. */
        private CollectorProgram started() throws IOException {
            String[] settings = {"--interval=1s", "--opentsdb=" + tsd.address()};
            CollectorProgram next =
                    CollectorProgram.launch(folder.resolve("data"), faults.environment(), List.of(), settings);
            if (!next.runs()) {
                child = next;
                told.add("no start");
                assertThat(next.status(END)).as(this::all).isEqualTo(EXIT_CANNOT);
                assertNothingIsSetAside();
                faults.heal();
                next = CollectorProgram.launch(folder.resolve("data"), faults.environment(), List.of(), settings);
            }
            child = next;
            assertThat(next.runs()).as(this::all).isTrue();
            return next;
        }

        private void recover() throws IOException {
            told.add("recover");
            faults.heal();
            up.set(true);
            await().atMost(PATIENCE).pollInterval(Duration.ofMillis(100)).untilAsserted(() -> {
                for (Sender sender : senders) {
                    child.send(sender.datagram());
                }
                assertThat(child.counters()).as(this::all).isEqualTo(wanted());
            });
            takeNote();
            await().atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(50))
                    .untilAsserted(() -> assertThat(stored()).as(this::all).containsAllEntriesOf(spooled));
            child.kill();
            child = started();
            assertThat(child.counters()).as(this::all).isEqualTo(wanted());
            assertThat(tsd.conflicts).as(this::all).isEmpty();
            assertThat(stored().keySet()).as(this::all).noneMatch(lost::contains);
            assertNothingIsSetAside();
        }

        /** How many points the TSD has of each second. */
        private Map<Long, Integer> stored() {
            Map<Long, Integer> points = new TreeMap<>();
            tsd.stored.values().forEach(point -> points.merge(point.second(), 1, Integer::sum));
            return points;
        }

        private void assertNothingIsSetAside() throws IOException {
            assertThat(Faults.files(folder, "")).as(this::all).noneMatch(name -> name.contains("damaged"));
        }

        private String all() {
            return String.join(", ", told) + "\n" + child.log();
        }

        @Override
        public void close() {
            child.close();
        }
    }
}
