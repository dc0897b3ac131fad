package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.udp.UdpSocket;
import io.counters.collector.udp.UnixSocket;
import io.counters.testsupport.Ports;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Counts over a Unix datagram socket, from the kernel's sockets and from a real client, in a real ledger. */
@EnabledOnOs(OS.LINUX)
class UnixSocketTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Sends each argument except the first as a datagram, like PHP's and Python's clients. */
    private static final String CLIENT = """
            use Socket;
            my $path = shift;
            socket(my $to, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
            connect($to, sockaddr_un($path)) or die "connect: $!";
            for (@ARGV) { defined(send($to, $_, 0)) or die "send: $!" }
            """;

    @TempDir
    Path folder;

    private KeptLedger kept;
    private Path path;
    private @Nullable Intake intake;
    private @Nullable Thread thread;

    /** The system's library, which a test may need before anything of the collector's loads it. */
    @BeforeAll
    static void load() {
        Epoll.ensureAvailability();
    }

    @BeforeEach
    void open() throws IOException {
        kept = new KeptLedger(folder.resolve("data"), false);
        path = folder.resolve("counters.sock");
    }

    @AfterEach
    void close() throws Exception {
        end();
        kept.close();
    }

    /** Starts an intake with the Unix socket. */
    private void run() throws IOException {
        intake = KeptIntake.open(
                kept,
                new IntakeSettings(
                        InetAddress.getLoopbackAddress(), 0, IntakeSettings.AS_UDP, 250, 100, StatsdSettings.CLEAN),
                path,
                System::nanoTime);
        thread = new Thread(intake);
        thread.start();
    }

    /** Lets the intake merge what has arrived, and end. */
    private void end() throws InterruptedException {
        if (intake != null && thread != null) {
            intake.close();
            thread.join(10_000);
            assertThat(thread.isAlive()).isFalse();
        }
    }

    private void send(String text) throws IOException {
        send(ByteBuffer.wrap(text.getBytes(ISO_8859_1)));
    }

    private void send(ByteBuffer bytes) throws IOException {
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.remaining()).put(bytes.duplicate());
        Socket socket = Socket.newSocketDomainDgram();
        try {
            socket.setSendBufferSize(1 << 20);
            // It does not block, so it is tried again if the queue is full.
            await().atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> socket.sendToDomainSocket(
                                    direct,
                                    0,
                                    direct.capacity(),
                                    path.toString().getBytes(ISO_8859_1))
                            == direct.capacity());
        } finally {
            socket.close();
        }
    }

    private void awaitValue(String name, long value) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .untilAsserted(() -> assertThat(kept.value(name)).isEqualTo(value));
    }

    private static int client(Path path, String... datagrams) throws Exception {
        List<String> command = new ArrayList<>(List.of("perl", "-e", CLIENT, path.toString()));
        command.addAll(List.of(datagrams));
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    @Test
    @Tag("slow")
    void a_real_client_in_another_process_is_counted() throws Exception {
        run();

        String[] datagrams = new String[500];
        Arrays.fill(datagrams, "php.requests:1|c\nphp.hits:2|c|#host:a");

        assertThat(client(path, datagrams)).isZero();
        assertThat(client(path, "", "increment last")).isZero();

        awaitValue("last", 1);
        assertThat(kept.values()).isEqualTo(Map.of("last", 1L, "php.requests", 500L, "php.hits,host=a", 1000L));
        await().untilAsserted(() ->
                assertThat(kept.counted("intake_unix_datagrams_total")).isEqualTo(502));
        assertThat(kept.counted("intake_datagrams_total")).isZero();
        assertThat(kept.said.lines()).isEmpty();
    }

    @Test
    void every_user_who_reaches_the_folder_may_send_and_a_rejected_line_is_logged_with_the_path() throws Exception {
        run();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-rw-rw-");

        send("b@d\nincrement good");

        awaitValue("good", 1);
        await().atMost(PATIENCE).until(() -> !kept.said.lines().isEmpty());
        assertThat(kept.said.lines().get(0))
                .startsWith("WARN Unix line \"b@d\" was rejected (unknown_verb): ")
                .endsWith("; sent by a process of this machine over " + path);
    }

    @Test
    void a_datagram_larger_than_a_udp_datagram_counts() throws Exception {
        String line = "increment a\n";
        int lines = 200_000 / line.length();
        run();

        send(line.repeat(lines));

        awaitValue("a", lines);
    }

    @Test
    void datagrams_that_arrived_before_the_end_count_and_the_name_is_removed() throws Exception {
        UnixSocket socket = new UnixSocket(path, System::nanoTime);
        DatagramReceiver receiver = KeptIntake.receiver(kept, socket, "intake_unix_datagrams_total");
        for (int i = 0; i < 10; i++) {
            send("increment a");
        }
        receiver.close();

        receiver.run();

        assertThat(kept.value("a")).isEqualTo(10);
        assertThat(path).doesNotExist();
    }

    @Test
    void the_name_that_a_killed_collector_left_is_replaced() throws Exception {
        // Bound, and closed without removing the name, like the socket of a killed process.
        Socket killed = Socket.newSocketDomainDgram();
        killed.bind(new DomainSocketAddress(path.toString()));
        killed.close();
        assertThat(path).exists();

        run();

        send("increment a");

        awaitValue("a", 1);
        end();
        // The end waits for its thread no longer than a moment, which a busy machine may need.
        await().untilAsserted(() -> assertThat(path).doesNotExist());
    }

    @Test
    void a_name_at_which_a_program_receives_is_left_alone() throws Exception {
        run();

        assertThatThrownBy(this::run)
                .isInstanceOf(IOException.class)
                .hasMessage("cannot listen on the Unix socket " + path + ": another program receives there, perhaps"
                        + " another collector; end that program, or give another path");
        send("increment a");

        awaitValue("a", 1);
    }

    @Test
    void an_open_stream_socket_is_left_alone() throws Exception {
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));

            assertThatThrownBy(this::run)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("cannot listen on the Unix socket " + path)
                    .hasMessageEndingWith("remove the file if none does, or give another path");
            assertThat(path).exists();
        }
    }

    @Test
    void a_file_or_a_folder_of_that_name_is_left_alone() throws Exception {
        Files.writeString(path, "precious");
        assertThatThrownBy(this::run)
                .hasMessageEndingWith(
                        "there is a file of that name that is not a socket; move it away, or give another path");
        assertThat(path).hasContent("precious");

        path = Files.createDirectory(folder.resolve("folder"));
        assertThatThrownBy(this::run).hasMessageContaining("is not a socket");
    }

    @Test
    void a_folder_that_is_missing_or_closed_is_reported_with_the_remedy() {
        path = folder.resolve("missing/counters.sock");
        assertThatThrownBy(this::run)
                .isInstanceOf(IOException.class)
                .hasMessage("cannot listen on the Unix socket " + path + ": the folder " + folder.resolve("missing")
                        + " does not exist, or this process has no access; create it, and let the user of this process"
                        + " write there");

        // A folder in which not even root may create a file.
        path = Path.of("/proc/counters.sock");
        assertThatThrownBy(this::run)
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("cannot listen on the Unix socket /proc/counters.sock: ");
    }

    @Test
    void if_the_socket_cannot_be_opened_nothing_else_stays_open() throws Exception {
        path = folder.resolve("missing/counters.sock");
        int port = Ports.reserve();
        IntakeSettings settings =
                new IntakeSettings(InetAddress.getLoopbackAddress(), 0, port, 250, 100, StatsdSettings.CLEAN);

        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> KeptIntake.open(kept, settings, path, System::nanoTime))
                    .hasMessageContaining("does not exist");
        }
    }

    @Test
    @Tag("slow")
    void a_removed_name_is_created_again_and_waiting_datagrams_count() throws Exception {
        UnixSocket socket = new UnixSocket(path, System::nanoTime);
        send("increment before");
        Files.delete(path);
        DatagramReceiver receiver = KeptIntake.receiver(kept, socket, "intake_unix_datagrams_total");
        Thread running = new Thread(receiver);
        running.start();
        awaitValue("before", 1);

        await().atMost(PATIENCE).until(() -> Files.exists(path));
        send("increment after");

        awaitValue("after", 1);
        receiver.close();
        running.join(10_000);
        assertThat(running.isAlive()).isFalse();
        assertThat(path).doesNotExist();
    }

    @Test
    @Tag("slow")
    void a_name_that_another_program_has_taken_is_logged_and_left_alone() throws Exception {
        run();

        Files.delete(path);
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));

            await().atMost(PATIENCE).until(() -> !kept.said.lines().isEmpty());
            assertThat(kept.said.lines().get(0)).contains("another program has taken the name " + path);
        }
        end();
        assertThat(path).as("it is the other program's").exists();
    }

    @Test
    @Tag("slow")
    void a_name_that_another_program_had_taken_is_bound_again_once_that_program_is_killed() throws Exception {
        run();
        Files.delete(path);
        Socket other = Socket.newSocketDomainDgram();
        other.bind(new DomainSocketAddress(path.toString()));
        // Closed without removing the name.
        other.close();

        await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            // At first no program receives there.
            send("increment a");
            return true;
        });

        awaitValue("a", 1);
    }

    @Test
    @Tag("slow")
    void a_missing_descriptor_for_a_new_socket_is_a_temporary_failure() throws Exception {
        Process process = new ProcessBuilder(
                        "bash",
                        "-c",
                        "ulimit -n 100; exec \"$@\"",
                        "bash",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        UnixSocketProgram.class.getName(),
                        path.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("out").toFile())
                .start();

        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();

        assertThat(Files.readString(folder.resolve("out"))).contains("failed").endsWith("is back\n");
        assertThat(process.exitValue()).isZero();
    }

    @Test
    void the_last_line_of_a_datagram_that_is_too_long_is_rejected_as_cut() throws Exception {
        try (UdpSocket small = new UdpSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)) {
            @Override
            public int bytesMax() {
                return 30;
            }
        }) {
            DatagramReceiver receiver = KeptIntake.receiver(kept, small, "intake_datagrams_total");
            try (DatagramSocket sender = new DatagramSocket()) {
                for (String text : List.of("increment a\nincrement a 123456789", "increment a\nincrement a 12345")) {
                    byte[] bytes = text.getBytes(ISO_8859_1);
                    sender.send(new DatagramPacket(bytes, bytes.length, small.address()));
                }
            }
            receiver.close();

            receiver.run();
        }

        assertThat(kept.values()).isEqualTo(Map.of("a", 1 + 1 + 12_345L));
        assertThat(kept.counted("intake_rejected_lines_total{reason=\"datagram_cut\"}"))
                .isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"unix:///run/a.sock", "unixgram:///run/a.sock", "@abstract", "/run/a\0b.sock"})
    void a_value_that_is_not_a_path_is_refused_with_the_rule(String text) {
        assertThatThrownBy(() -> checked(text)).hasMessageContaining("which is not a path");
    }

    @Test
    void a_path_that_is_too_long_for_the_kernel_is_refused_with_its_length() throws Exception {
        String longest = "/tmp/" + "x".repeat(102);

        assertThat(checked(longest).path()).contains(Path.of(longest));
        assertThatThrownBy(() -> checked(longest + "y"))
                .isInstanceOf(SettingsException.class)
                .hasMessage(
                        "--unix is " + longest + "y, which has 108 bytes; the path of a Unix socket has at most 107,"
                                + " such as /run/counters/counters.sock");
        assertThat(checked("").path()).isEmpty();
    }

    private static UnixSettings checked(String text) throws SettingsException {
        Settings settings = new Settings(text.isEmpty() ? Map.of() : Map.of(CollectorFlag.UNIX, text), Map.of());
        UnixSettings read = UnixSettings.from(settings);
        settings.check();
        return read;
    }
}
