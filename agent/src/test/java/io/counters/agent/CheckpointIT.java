package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Checkpoint;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import jdk.crac.Core;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The agent in a process that is checkpointed and restored. The JVM's part is a stand-in; {@code org.crac} is the real one. */
class CheckpointIT {
    @TempDir
    Path folder = Path.of("");

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_restored_process_sends_in_a_new_stream_and_has_nothing_open_at_the_checkpoint(boolean ofTheJvm)
            throws Exception {
        Path log = folder.resolve("agent.log");
        URL library = org.crac.Core.class.getProtectionDomain().getCodeSource().getLocation();
        Path standIn = Path.of(
                Core.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.start(
                            List.of(
                                    ChildJvm.AGENT + "=" + receiver.arguments() + ",log=" + log,
                                    ofTheJvm ? "-Xbootclasspath/a:" + standIn : "-Dof.the.jvm=false",
                                    "-Xshare:off"),
                            List.of(ChildJvm.FIXTURES, standIn),
                            Checkpoint.class.getName(),
                            library.toString(),
                            log.toString())
                    .await()
                    .well();

            assertThat(child.out()).as(child.err()).isEqualTo("sockets 0, logs 0");
            assertThat(receiver.sums()).isEqualTo(Map.of("checkpoint.marked", 3L));
            assertThat(receiver.streams()).hasSizeGreaterThanOrEqualTo(2);
            assertThat(child.err()).isEmpty();
            assertThat(Files.readAllLines(log)).hasSize(1);
        }
    }
}
