package io.counters.collector.supervisor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What systemd would receive, at a socket of the test's. */
@EnabledOnOs(OS.LINUX)
class SupervisorTest {
    private static final long PID = 4711;

    @TempDir
    Path folder;

    private final Socket systemd;
    private final Map<String, String> environment = new HashMap<>();
    private long nanos = TimeUnit.MILLISECONDS.toNanos(1500);

    SupervisorTest() {
        // Loads the library in C.
        Epoll.ensureAvailability();
        systemd = Socket.newSocketDomainDgram();
    }

    @AfterEach
    void close() throws IOException {
        systemd.close();
    }

    private Supervisor supervisor() throws IOException {
        String path = folder.resolve("notify").toString();
        systemd.bind(new DomainSocketAddress(path));
        environment.put("NOTIFY_SOCKET", path);
        return Supervisor.of(environment, null, PID, () -> nanos);
    }

    /** The next datagram; null if there is none. */
    private @Nullable String told() throws IOException {
        return told(systemd);
    }

    private static @Nullable String told(Socket by) throws IOException {
        ByteBuffer datagram = ByteBuffer.allocateDirect(4096);
        int length = by.read(datagram, 0, datagram.capacity());
        if (length <= 0) {
            return null;
        }
        byte[] bytes = new byte[length];
        datagram.get(0, bytes);
        return new String(bytes, UTF_8);
    }

    @Test
    void it_tells_readiness_a_reload_and_the_end() throws Exception {
        try (Supervisor supervisor = supervisor()) {
            assertThat(supervisor.isThere()).isTrue();
            assertThat(told()).isNull();

            supervisor.ready("receives\non UDP");
            assertThat(told()).isEqualTo("READY=1\nSTATUS=receives?on UDP\n");
            supervisor.reloading();
            assertThat(told()).isEqualTo("RELOADING=1\nMONOTONIC_USEC=1500000\n");
            supervisor.stopping();
            assertThat(told()).startsWith("STOPPING=1\nSTATUS=");
            supervisor.tell(List.of(), "runs");
            assertThat(told()).as("after the end").isNull();
        }
    }

    @Test
    void without_a_watchdog_it_tells_a_new_status_only() throws Exception {
        try (Supervisor supervisor = supervisor()) {
            supervisor.ready("well");
            assertThat(told()).isNotNull();

            assertThat(supervisor.tell(List.of(), "well")).isEqualTo(1000);
            assertThat(told()).isNull();
            supervisor.tell(List.of(), "not well");
            assertThat(told()).isEqualTo("STATUS=not well\n");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {100_000, 30_000_000})
    void the_watchdog_is_told_twice_as_often_as_it_must_be_or_once_a_second(long micros) throws Exception {
        environment.put("WATCHDOG_USEC", Long.toString(micros));
        environment.put("WATCHDOG_PID", Long.toString(PID));
        try (Supervisor supervisor = supervisor()) {
            assertThat(supervisor.tell(List.of(), "well")).isEqualTo(Math.min(1000, micros / 2000));

            assertThat(told()).isEqualTo("WATCHDOG=1\nSTATUS=well\n");
        }
    }

    @Test
    void the_watchdog_is_not_told_that_a_process_lives_that_hangs() throws Exception {
        environment.put("WATCHDOG_USEC", "30000000");
        try (Supervisor supervisor = supervisor()) {
            supervisor.tell(List.of(), "well");
            assertThat(told()).contains("WATCHDOG=1");

            supervisor.tell(List.of("the ledger's lock could not be taken for 6 s"), "hangs");
            assertThat(told()).isEqualTo("STATUS=hangs\n");
            supervisor.tell(List.of("the ledger's lock could not be taken for 7 s"), "hangs");
            assertThat(told()).isNull();

            supervisor.tell(List.of(), "well");
            assertThat(told()).isEqualTo("WATCHDOG=1\nSTATUS=well\n");
        }
    }

    @Test
    void the_watchdog_of_another_process_is_none_of_this_ones() throws Exception {
        environment.put("WATCHDOG_USEC", "30000000");
        environment.put("WATCHDOG_PID", "1");
        try (Supervisor supervisor = supervisor()) {
            supervisor.tell(List.of(), "well");

            assertThat(told()).isEqualTo("STATUS=well\n");
        }
    }

    @Test
    void what_systemd_could_not_take_is_told_with_the_next_message() throws Exception {
        try (Supervisor supervisor = supervisor()) {
            // More than net.unix.max_dgram_qlen, which is 10 to 512.
            for (int i = 0; i < 1000; i++) {
                supervisor.tell(List.of(), "state " + i);
            }
            supervisor.ready("full");
            String last = "";
            for (String message = told(); message != null; message = told()) {
                last = message;
            }
            assertThat(last).doesNotContain("READY");

            supervisor.tell(List.of(), "read again");

            assertThat(told()).isEqualTo("STATUS=read again\nREADY=1\n");
        }
    }

    @Test
    void a_new_socket_of_the_same_name_is_told() throws Exception {
        try (Supervisor supervisor = supervisor()) {
            supervisor.ready("well");
            systemd.close();
            Files.delete(folder.resolve("notify"));
            Socket again = Socket.newSocketDomainDgram();
            try {
                again.bind(new DomainSocketAddress(folder.resolve("notify").toString()));

                supervisor.tell(List.of(), "still well");

                assertThat(told(again)).isEqualTo("STATUS=still well\n");
            } finally {
                again.close();
            }
        }
    }

    @Test
    void an_abstract_name_begins_with_an_at_sign() throws Exception {
        String name = "counters-test-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
        systemd.bind(new DomainSocketAddress("\0" + name));
        environment.put("NOTIFY_SOCKET", "@" + name);

        try (Supervisor supervisor = Supervisor.of(environment, null, PID, () -> nanos)) {
            supervisor.ready("well");
        }

        assertThat(told()).isEqualTo("READY=1\nSTATUS=well\n");
    }

    @Test
    void without_systemd_nothing_is_told_and_nothing_fails() throws Exception {
        environment.put("NOTIFY_SOCKET", folder.resolve("nobody").toString());
        for (Supervisor supervisor : List.of(Supervisor.none(), Supervisor.of(environment, null, PID, () -> nanos))) {
            supervisor.ready("well");
            supervisor.tell(List.of(), "well");
            supervisor.stopping();
            supervisor.close();

            assertThat(supervisor.isThere()).isFalse();
            assertThat(supervisor.socket()).isEmpty();
        }
    }

    @Test
    void a_bound_udp_socket_as_standard_input_is_taken_and_no_other() throws Exception {
        InetSocketAddress loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (DatagramChannel bound = DatagramChannel.open().bind(loopback);
                DatagramChannel unbound = DatagramChannel.open();
                DatagramChannel connected = DatagramChannel.open().connect(bound.getLocalAddress());
                ServerSocketChannel tcp = ServerSocketChannel.open().bind(loopback)) {
            assertThat(Supervisor.of(Map.of(), bound, PID, () -> nanos).socket())
                    .contains(bound);
            assertThat(Supervisor.of(Map.of(), unbound, PID, () -> nanos).socket())
                    .isEmpty();
            assertThat(Supervisor.of(Map.of(), connected, PID, () -> nanos).socket())
                    .isEmpty();
            assertThat(Supervisor.of(Map.of(), tcp, PID, () -> nanos).socket()).isEmpty();
        }
    }
}
