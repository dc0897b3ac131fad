package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.CollectorProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** collector.jar with {@code --unix}: killed, restarted, started twice, ended, and without its native library. */
@EnabledOnOs(OS.LINUX)
class UnixSocketIT {
    /** Blocks if the queue is full, and connects again if there is no receiver, like PHP-FPM's workers. */
    private static final String CLIENT = """
            use Socket;
            my ($path, $times) = @ARGV;
            sub reach {
              for (1..3000) {
                socket(my $to, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
                return $to if connect($to, sockaddr_un($path));
                select(undef, undef, undef, 0.01);
              }
              die "connect: $!";
            }
            my $to = reach();
            for (1..$times) { $to = reach() until defined(send($to, "php.requests:1|c", 0)) }
            """;

    @TempDir
    Path folder;

    private CollectorProgram collector(Path socket, List<String> java) throws Exception {
        return CollectorProgram.launch(folder.resolve("data"), Map.of(), java, "--unix=" + socket);
    }

    private static void client(Path socket, int times) throws Exception {
        assertThat(new ProcessBuilder("perl", "-e", CLIENT, socket.toString(), String.valueOf(times))
                        .inheritIO()
                        .start()
                        .waitFor())
                .isZero();
    }

    @Test
    void the_socket_of_a_killed_collector_is_replaced_and_that_of_an_ended_collector_is_deleted() throws Exception {
        Path socket = folder.resolve("counters.sock");
        try (CollectorProgram killed = collector(socket, List.of())) {
            client(socket, 20_000);
            killed.awaitCounter("php.requests", 20_000);
            killed.kill();
        }
        assertThat(socket).exists();

        try (CollectorProgram again = collector(socket, List.of())) {
            client(socket, 1000);
            again.awaitCounter("php.requests", 21_000);
            assertThat(again.metrics()).containsEntry("intake_unix_datagrams_total", 1000L);

            try (CollectorProgram second = CollectorProgram.launch(
                    Files.createDirectory(folder.resolve("second")).resolve("data"),
                    Map.of(),
                    List.of(),
                    "--unix=" + socket)) {
                assertThat(second.status(Duration.ofSeconds(30))).isEqualTo(1);
                assertThat(second.log()).contains("another program receives there, perhaps another collector");
            }
            client(socket, 1);
            again.awaitCounter("php.requests", 21_001);

            again.terminate();
            assertThat(again.status(Duration.ofSeconds(30))).isEqualTo(143);
            assertThat(socket).doesNotExist();
        }
    }

    @Test
    void without_the_native_library_the_start_fails_with_the_remedy() throws Exception {
        Path socket = folder.resolve("counters.sock");
        try (CollectorProgram collector = collector(socket, List.of("-Dio.netty.transport.noNative=true"))) {
            assertThat(collector.status(Duration.ofSeconds(30))).isEqualTo(1);
            assertThat(collector.log())
                    .contains("cannot listen on the Unix socket " + socket)
                    .contains("Netty's native library cannot be loaded here")
                    .contains("Leave out --unix to start without it");
        }
        assertThat(socket).doesNotExist();
        try (CollectorProgram without = CollectorProgram.launch(
                folder.resolve("data"), Map.of(), List.of("-Dio.netty.transport.noNative=true"))) {
            assertThat(without.runs()).isTrue();
        }
    }
}
