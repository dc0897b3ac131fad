package io.counters.collector;

import static io.counters.testsupport.CollectorProgram.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.Faults.Slot;
import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** collector.jar on a disk that fails, fills up, hangs, or is missing. */
@Tag("once")
class DiskFaultsIT {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b ";
    private static final Duration END = Duration.ofSeconds(30);
    private static final int EXIT_CANNOT = 1;
    private static final int EXIT_UNCOMMITTED = 4;
    private static final int EXIT_SIGTERM = 143;

    @TempDir
    Path folder;

    private Faults faults;
    private final List<CollectorProgram> started = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        faults = new Faults(folder.resolve("control"), Files.createDirectory(folder.resolve("data")));
    }

    @AfterEach
    void close() {
        started.forEach(CollectorProgram::close);
    }

    private CollectorProgram start(String... more) throws IOException {
        CollectorProgram child = CollectorProgram.launch(folder.resolve("data"), faults.environment(), List.of(), more);
        started.add(child);
        return child;
    }

    private CollectorProgram started(String... more) throws IOException {
        CollectorProgram child = start(more);
        assertThat(child.runs()).as(child.log()).isTrue();
        return child;
    }

    private void assertNothingIsSetAside() throws IOException {
        assertThat(Faults.files(folder, "")).noneMatch(name -> name.contains("damaged"));
    }

    @ParameterizedTest
    @CsvSource({"SYNC_ERRNO, 5", "WRITE_ERRNO, 5", "WRITE_ERRNO, 28", "WRITES_UNTIL_FULL, 3"})
    void a_disk_that_fails_for_a_while_loses_nothing_and_its_recovery_is_logged(Slot slot, int value) throws Exception {
        CollectorProgram child = started();
        child.send(S1 + "10 1\nincrement a 5 5");
        child.awaitCounter("a", 5);
        faults.set(slot, value);
        child.send(S1 + "20 2\nincrement a 1 6\nincrement b 7 7");
        child.send("increment plain 3");
        child.awaitMetric("ledger_failed_commits_total", 1);

        faults.heal();

        child.awaitCounter("b", 7);
        child.awaitCounter("plain", 3);
        child.awaitLog("cannot write the ledger", "the ledger is committed again");
        child.kill();
        CollectorProgram next = started();
        assertThat(next.counters())
                .as("without a repeat")
                .containsEntry("a", 6L)
                .containsEntry("b", 7L);
        next.send(S1 + "30 3\nincrement a 1 6\nincrement b 7 7\nincrement c 1 1");
        next.awaitCounter("c", 1);
        assertThat(next.counters())
                .containsEntry("a", 6L)
                .containsEntry("b", 7L)
                .containsEntry("plain", 3L);
        assertNothingIsSetAside();
    }

    @ParameterizedTest
    @CsvSource({"1", "3", "8"})
    void a_disk_that_fills_up_during_a_commit_and_a_kill_leave_one_complete_commit(int writes) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            lines.append("\nincrement counter." + i + " 100 100");
        }
        CollectorProgram child = started();
        child.send(S1 + "10 1" + lines);
        child.awaitCounter("counter.299", 100);
        faults.set(Slot.WRITES_UNTIL_FULL, writes);
        String more = lines.toString().replace(" 100 100", " 6 106").replace("counter.0 ", "counter.new ");
        child.send(S1 + "20 2" + more);
        child.awaitMetric("ledger_failed_commits_total", 2);
        child.kill();
        faults.heal();

        CollectorProgram next = started();

        assertThat(next.counters().values().stream().distinct())
                .as("all before or all after")
                .containsExactly(100L);
        next.send(S1 + "30 3" + more);
        next.awaitCounter("counter.299", 106);
        assertThat(next.counters())
                .hasSize(301)
                .containsEntry("counter.0", 100L)
                .containsEntry("counter.new", 106L);
        assertNothingIsSetAside();
    }

    @Test
    void an_orderly_end_on_a_full_disk_logs_what_is_lost_and_exits_with_4() throws Exception {
        CollectorProgram child = started();
        child.send(S1 + "10 1\nincrement a 5 5");
        child.awaitCounter("a", 5);
        faults.set(Slot.WRITE_ERRNO, Faults.ENOSPC);
        child.send(S1 + "20 2\nincrement a 1 6\nincrement b 7 7");
        child.awaitMetric("ledger_failed_commits_total", 1);

        child.terminate();

        assertThat(child.status(END)).isEqualTo(EXIT_UNCOMMITTED);
        assertThat(child.log())
                .contains("the last changes could NOT be written to the ledger: ", "; counters affected: 2;")
                .contains("the disk is full")
                .doesNotContain("ended; counters in the ledger");
        faults.heal();
        CollectorProgram next = started();
        assertThat(next.counters()).containsEntry("a", 5L);
        next.send(S1 + "30 3\nincrement a 1 6\nincrement b 7 7");
        next.awaitCounter("b", 7);
        assertThat(next.counters()).containsEntry("a", 6L);
        assertNothingIsSetAside();
    }

    @Test
    void an_end_whose_last_commit_succeeds_has_the_exit_status_of_SIGTERM() throws Exception {
        CollectorProgram child = started();
        faults.set(Slot.SYNC_ERRNO, Faults.EIO);
        child.send("increment a 5");
        child.awaitMetric("ledger_failed_commits_total", 1);
        faults.heal();

        child.terminate();

        assertThat(child.status(END)).isEqualTo(EXIT_SIGTERM);
        assertThat(child.log()).contains("ended; counters in the ledger: 1");
        assertThat(started().counters()).containsEntry("a", 5L);
    }

    @Test
    void while_a_sync_hangs_the_page_answers_and_SIGTERM_ends_the_collector_in_time() throws Exception {
        CollectorProgram child = started("--opentsdb=http://127.0.0.1:" + Ports.reserve(), "--interval=1s");
        child.send(S1 + "10 1\nincrement a 5 5");
        child.awaitCounter("a", 5);
        long commits = child.metrics().getOrDefault("ledger_commits_total", 0L);
        faults.set(Slot.SYNC_MILLIS, 600_000);
        child.send(S1 + "20 2\nincrement a 1 6");
        child.awaitMetric("ledger_applied_lines_total", 1);
        long begin = System.nanoTime();
        await().atMost(PATIENCE)
                .until(() -> System.nanoTime() - begin > Duration.ofMillis(500).toNanos());
        assertThat(child.metrics().getOrDefault("ledger_commits_total", 0L)).isLessThanOrEqualTo(commits + 1);

        child.terminate();

        assertThat(child.status(END)).isEqualTo(EXIT_UNCOMMITTED);
        assertThat(child.log())
                .contains("the last changes could NOT be written to the ledger: ", "; counters affected: 1;")
                .contains("a commit has not returned");
        faults.heal();
        CollectorProgram next = started();
        next.send(S1 + "30 3\nincrement a 1 6\nincrement b 1 1");
        next.awaitCounter("b", 1);
        assertThat(next.counters()).containsEntry("a", 6L);
    }

    @Test
    void while_the_spool_cannot_be_read_the_page_answers() throws Exception {
        CollectorProgram child = started("--opentsdb=http://127.0.0.1:" + Ports.reserve(), "--interval=1s");
        child.send("increment a 5");
        await().atMost(PATIENCE)
                .until(() -> Faults.files(folder, "spool/opentsdb").size() >= 3);

        faults.set(Slot.READ_MILLIS, 600_000);

        await().atMost(PATIENCE)
                .during(Duration.ofSeconds(3))
                .until(() ->
                        child.metrics().keySet().stream().anyMatch(name -> name.startsWith("publish_spool_bytes")));
        faults.heal();
    }

    @Test
    void a_spool_whose_folder_cannot_be_synced_loses_no_tick() throws Exception {
        CollectorProgram child = started("--opentsdb=http://127.0.0.1:" + Ports.reserve(), "--interval=1s");
        faults.set(Slot.SYNC_FOLDER_ERRNO, Faults.EIO);
        child.send("increment a 5");
        child.awaitCounter("a", 5);
        await().atMost(PATIENCE)
                .until(() -> Faults.files(folder, "spool/opentsdb").size() >= 3);

        assertThat(child.metric("publish_lost_points_total")).isZero();
        child.awaitLog("the folder cannot be synced, so a power failure may lose ticks");
    }

    @Test
    void a_start_on_a_full_disk_fails_with_the_reason_and_leaves_no_files() throws Exception {
        for (int writes = 1; writes <= 5; writes++) {
            faults.set(Slot.WRITES_UNTIL_FULL, writes);
            CollectorProgram child = start();

            assertThat(child.status(PATIENCE)).as(child.log()).isEqualTo(EXIT_CANNOT);
            assertThat(child.log())
                    .contains("the disk is full; free some space")
                    .doesNotContain("move it away");
            assertNothingIsSetAside();
        }

        faults.heal();

        CollectorProgram child = started();
        child.send("increment a 5");
        child.awaitCounter("a", 5);
        assertNothingIsSetAside();
    }

    @ParameterizedTest
    @CsvSource({
        "OPEN_ERRNO, 13, no permission",
        "OPEN_ERRNO, 30, the file system is read-only",
        "OPEN_ERRNO, 28, the disk is full",
        "READ_ERRNO, 5, cannot use the ledger",
        "WRITE_ERRNO, 28, the disk is full",
    })
    void an_undamaged_ledger_that_cannot_be_used_now_is_not_set_aside(Slot slot, int errno, String reason)
            throws Exception {
        try (CollectorProgram first = started()) {
            first.send("increment a 5");
            first.awaitCounter("a", 5);
        }
        faults.set(slot, errno);

        CollectorProgram second = start();

        assertThat(second.status(PATIENCE)).as(second.log()).isEqualTo(EXIT_CANNOT);
        assertThat(second.log()).contains(reason).doesNotContain("damage").doesNotContain("move it away");
        assertNothingIsSetAside();
        faults.heal();
        assertThat(started().counters()).containsEntry("a", 5L);
    }

    @Test
    void a_missing_temporary_folder_is_reported_with_the_remedy() throws Exception {
        Path missing = folder.resolve("missing");
        CollectorProgram child = CollectorProgram.launch(
                folder.resolve("data"), faults.environment(), List.of("-Djava.io.tmpdir=" + missing));
        started.add(child);

        assertThat(child.status(PATIENCE)).as(child.log()).isEqualTo(EXIT_CANNOT);
        assertThat(child.log()).contains(missing.toString()).contains("-Djava.io.tmpdir");
        assertNothingIsSetAside();
    }

    @Test
    void a_spool_that_cannot_be_created_stops_the_start_with_the_reason() throws Exception {
        started().close();
        Files.writeString(folder.resolve("data").resolve("spool"), "a file");

        CollectorProgram child = start("--opentsdb=http://127.0.0.1:" + Ports.reserve());

        assertThat(child.status(PATIENCE)).isEqualTo(EXIT_CANNOT);
        assertThat(child.log()).contains("the spool ").contains("cannot be used: a file is in the place of a folder");
    }
}
