package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.fixture.Tick;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The settings file changes while the application runs. */
class LiveSettingsIT {
    private static final Duration A_LOOK_OR_TWO = Duration.ofSeconds(20);

    @TempDir
    Path folder = Path.of("");

    private Path file = Path.of("");
    private int writes;

    @BeforeEach
    void name() {
        file = folder.resolve("counters.conf");
    }

    @Test
    void enabled_false_restores_the_classes_and_true_instruments_them_again() throws Exception {
        try (Receiver receiver = new Receiver()) {
            write("# nothing yet");
            ChildJvm child = start(receiver);
            tick(child, 1);

            write("enabled = false");
            await().atMost(A_LOOK_OR_TWO)
                    .until(() -> child.errSoFar().contains("enabled is false, loaded classes restored: 1;"));
            assertThat(receiver.sums()).as("what was counted is sent").containsEntry("tick.marked", 1L);
            tick(child, 2);
            tick(child, 3);

            write("enabled = true\nmethods = io.counters.fixture.Tick#plain = tick.plain");
            await().atMost(A_LOOK_OR_TWO)
                    .until(() -> child.errSoFar().contains("enabled is true, 1 rule, loaded classes updated: 1\n"));
            tick(child, 4);
            child.hangUp().await().well();

            assertThat(receiver.sums()).isEqualTo(Map.of("tick.marked", 2L, "tick.plain", 1L));
        }
    }

    @Test
    void changed_rules_take_effect_and_a_file_with_an_error_changes_nothing() throws Exception {
        try (Receiver receiver = new Receiver()) {
            write("methods = io.counters.fixture.Tick#plain = first");
            ChildJvm child = start(receiver);
            tick(child, 1);

            write("methods = io.counters.fixture.Tick#plain = second\nenabled = perhaps");
            await().atMost(A_LOOK_OR_TWO)
                    .until(() -> child.errSoFar().contains("the file has errors; the agent keeps"));
            assertThat(child.errSoFar()).contains("counters.conf line 2: enabled is perhaps");
            tick(child, 2);

            write("methods = io.counters.fixture.Tick#plain = second\nsweep = 20ms");
            await().atMost(A_LOOK_OR_TWO).until(() -> child.errSoFar().contains("1 rule, loaded classes updated: 1\n"));
            tick(child, 3);

            write("");
            await().atMost(A_LOOK_OR_TWO)
                    .until(() -> child.errSoFar().contains("0 rules, loaded classes updated: 1\n"));
            tick(child, 4);
            ChildJvm.Ended ended = child.hangUp().await().well();

            assertThat(receiver.sums()).isEqualTo(Map.of("tick.marked", 4L, "first", 2L, "second", 1L));
            assertThat(ended.err()).doesNotContain("restart");
        }
    }

    @Test
    void a_key_that_needs_a_restart_is_logged_and_a_deleted_file_changes_nothing() throws Exception {
        try (Receiver receiver = new Receiver()) {
            write("app = one");
            ChildJvm child = start(receiver);
            tick(child, 1);

            write("app = two");
            await().atMost(A_LOOK_OR_TWO)
                    .until(() -> child.errSoFar().contains("app changed; restart the JVM to apply this"));
            Files.delete(file);
            await().atMost(A_LOOK_OR_TWO).until(() -> child.errSoFar().contains("which cannot be read"));
            tick(child, 2);
            child.hangUp().await().well();

            assertThat(receiver.sums()).isEqualTo(Map.of("tick.marked", 2L));
        }
    }

    private ChildJvm start(Receiver receiver) throws Exception {
        String agent = ChildJvm.AGENT + "=" + receiver.arguments() + ",settings=" + file;
        ChildJvm child = ChildJvm.start(List.of(agent), List.of(ChildJvm.FIXTURES), Tick.class.getName());
        await().until(() -> child.outSoFar().contains("ready"));
        return child;
    }

    private static void tick(ChildJvm child, int number) throws Exception {
        child.tell("");
        await().until(() -> child.outSoFar().contains("tick " + number + "\n"));
    }

    /** Writes the file with a new modification time, even if two writes occur within a millisecond. */
    private void write(String text) throws Exception {
        Path fresh = Files.writeString(folder.resolve("counters.conf.new"), text + "\n");
        Files.setLastModifiedTime(fresh, FileTime.from(Instant.now().plusSeconds(++writes)));
        Files.move(fresh, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
}
