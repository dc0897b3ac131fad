package io.counters.demo;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import io.counters.wire.DatagramWriter;
import io.counters.wire.SigningKey;
import io.counters.wire.Verb;
import java.io.File;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Signed counts in real processes: services under the agent, a network that replays, changes and forges datagrams, a proxy,
 * and a collector that requires signatures and whose keys are replaced while it counts.
 */
@Tag("once")
class SigningIT {
    private static final Pattern DONE = Pattern.compile("([a-z_.,=]+) (-?\\d+)");
    private static final String OLD = "0123456789abcdef".repeat(4);
    private static final String NEW = "fedcba9876543210".repeat(4);
    private static final String PROXY = "00112233445566778899aabbccddeeff";

    @TempDir
    private Path folder;

    private Path keys;

    @BeforeEach
    void writeKeys() throws IOException {
        keys = folder.resolve("keys");
        use("old " + OLD, "proxy " + PROXY);
    }

    /** Replaces the file at once, as an operator should. */
    private void use(String... lines) throws IOException {
        Path fresh = Files.writeString(folder.resolve("fresh"), "# shop\n" + String.join("\n", lines) + "\n");
        Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
        Files.move(fresh, keys, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private Program shop(String collector, String key, int seed) throws Exception {
        Program shop = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=collector=" + collector + ",sweep=100ms,settings=shop.counters"
                        + (key.isEmpty() ? "" : ",key=" + key),
                "-cp",
                Path.of("target", "test-classes") + File.pathSeparator + Jars.shop(),
                SteadyShop.class.getName(),
                Integer.toString(seed)));
        shop.awaitLine("^sells$");
        return shop;
    }

    /** Lets a shop stop selling but keep running, and adds its tally. */
    private static void done(Program shop, Map<String, Long> all) throws Exception {
        shop.tell("enough");
        shop.awaitLine("^told$");
        for (String line : shop.output()) {
            Matcher one = DONE.matcher(line);
            if (one.matches()) {
                all.merge(one.group(1), Long.valueOf(one.group(2)), Long::sum);
            }
        }
        all.values().removeIf(value -> value == 0);
    }

    /** A network in which someone repeats what passes, also later and out of order, and sends what he has changed. */
    private static final class Meddler implements AutoCloseable {
        private final DatagramSocket socket;
        private final int to;
        private final Random random = new Random(20261201);
        private final List<byte[]> passed = new ArrayList<>();
        final AtomicLong got = new AtomicLong();

        Meddler(int to) throws IOException {
            this.to = to;
            socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
            Thread thread = new Thread(this::run, "meddler");
            thread.setDaemon(true);
            thread.start();
        }

        String address() {
            return "127.0.0.1:" + socket.getLocalPort();
        }

        private void run() {
            DatagramPacket packet = new DatagramPacket(new byte[65_507], 65_507);
            try {
                while (true) {
                    socket.receive(packet);
                    byte[] datagram = Arrays.copyOf(packet.getData(), packet.getLength());
                    passed.add(datagram);
                    send(datagram);
                    send(passed.get(random.nextInt(passed.size())));
                    send(changed(datagram));
                    got.incrementAndGet();
                }
            } catch (SocketException closed) {
                // The test is over.
            } catch (IOException broken) {
                throw new IllegalStateException(broken);
            }
        }

        /** Another digit in the last total. */
        private static byte[] changed(byte[] datagram) {
            byte[] changed = datagram.clone();
            int last = changed.length - 2;
            changed[last] = (byte) (changed[last] == '9' ? '1' : changed[last] + 1);
            return changed;
        }

        void send(byte[] datagram) throws IOException {
            socket.send(new DatagramPacket(datagram, datagram.length, InetAddress.getLoopbackAddress(), to));
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    /** What someone sends who has a key, or believes that he has one. */
    private static byte[] forged(String id, String hex, long millis) {
        DatagramWriter writer =
                new DatagramWriter(1432, new SigningKey(id, HexFormat.of().parseHex(hex), ""));
        writer.clearToSign(millis);
        writer.from("forged-0123456789abcdef".getBytes(ISO_8859_1), 1, 1);
        writer.command(Verb.INCREMENT, "requests".getBytes(ISO_8859_1), 1000, 1000);
        writer.sign();
        return Arrays.copyOf(writer.buffer(), writer.length());
    }

    private static String refused(String reason, String key) {
        return "intake_refused_datagrams_total{key=\"" + key + "\",reason=\"" + reason + "\"}";
    }

    private static void awaitTraffic(CollectorProgram collector, String key) throws IOException {
        String accepted = "intake_signed_datagrams_total{key=\"" + key + "\"}";
        collector.awaitMetric(accepted, collector.metrics().getOrDefault(accepted, 0L) + 5);
    }

    @Test
    void counts_are_exact_although_datagrams_are_forged_replayed_and_changed_and_the_key_is_replaced()
            throws Exception {
        Map<String, Long> expected = new TreeMap<>();
        try (CollectorProgram collector = CollectorProgram.start(folder.resolve("ledger"), "--keys", keys.toString());
                Meddler network = new Meddler(collector.port())) {
            try (Program first = shop(network.address(), "old:" + keys, 1)) {
                awaitTraffic(collector, "old");
                network.send("increment requests 1000".getBytes(ISO_8859_1));
                network.send(forged("old", NEW, System.currentTimeMillis()));
                network.send(forged("stranger", OLD, System.currentTimeMillis()));
                network.send(forged("old", OLD, System.currentTimeMillis() - 400_000));

                use("old " + OLD, "new " + NEW, "proxy " + PROXY);
                collector.awaitLog("are in use: old, new, proxy");
                try (Program second = shop(network.address(), "new:" + keys, 2)) {
                    awaitTraffic(collector, "new");
                    use("new " + NEW + "0", "old");
                    collector.awaitLog("line 2 has a key of 65 hex digits", "the old keys stay in use");
                    awaitTraffic(collector, "old");
                    done(first, expected);
                    // Its last sweep, which the collector must have before it forgets the key.
                    assertThat(first.stop()).isEqualTo(143);

                    use("new " + NEW, "proxy " + PROXY);
                    collector.awaitLog("are in use: new, proxy");
                    awaitTraffic(collector, "new");
                    done(second, expected);
                    collector.awaitCounters(expected);
                }
            }

            Map<String, Long> metrics = collector.metrics();
            assertThat(metrics.get(refused("unsigned", "none"))).isEqualTo(1);
            assertThat(metrics.get(refused("key_unknown", "unknown"))).isPositive();
            assertThat(metrics.get(refused("signed_time", "old"))).isEqualTo(1);
            assertThat(metrics.get(refused("signed_mac", "old"))).isGreaterThan(5);
            assertThat(metrics.get(refused("signed_mac", "new"))).isGreaterThan(5);
            assertThat(metrics.get("ledger_nothing_new_lines_total"))
                    .as("replays")
                    .isGreaterThan(100);
            assertThat(collector.log() + collector.program().output())
                    .contains("was rejected (unsigned)", "was rejected (signed_mac)", "was rejected (signed_time)")
                    .contains("keys:   old, proxy; signatures are required")
                    .doesNotContain(OLD, NEW, PROXY);
        }
    }

    @Test
    void the_proxy_signs_what_it_sums_for_services_without_a_key() throws Exception {
        Map<String, Long> expected = new TreeMap<>();
        int port = Ports.reserve();
        int restarted = Ports.reserve();
        try (CollectorProgram collector =
                        CollectorProgram.start(folder.resolve("ledger"), restarted, "--keys", keys.toString());
                Meddler network = new Meddler(collector.port())) {
            Path servers = Files.writeString(folder.resolve("servers.conf"), "udp://" + network.address() + "\t1\n");
            Path ini = Files.writeString(
                    folder.resolve("proxy.conf"),
                    "[statsite-proxy]\nbind_address = 127.0.0.1\nport = " + port + "\nudp_port = " + port
                            + "\nhttp_port = 0\nlog_level = INFO\nkey = proxy:" + keys + "\nservers = " + servers
                            + "\n");
            try (Program proxy = Program.java(
                            List.of("-Xmx256m", "-jar", Jars.collector().toString(), "proxy", "-f", ini.toString()));
                    Program shop = started(proxy, port)) {
                awaitTraffic(collector, "proxy");
                collector.kill();
                try (CollectorProgram again =
                        CollectorProgram.start(folder.resolve("ledger"), restarted, "--keys", keys.toString())) {
                    awaitTraffic(again, "proxy");
                    done(shop, expected);
                    again.awaitCounters(expected);
                    assertThat(again.metrics().get(refused("signed_mac", "proxy")))
                            .isPositive();
                    assertThat(again.metrics().get(refused("unsigned", "none"))).isZero();
                }
            }
        }
    }

    private Program started(Program proxy, int port) throws Exception {
        proxy.awaitLine("listens on TCP 127.0.0.1:" + port + " and UDP 127.0.0.1:" + port);
        return shop("127.0.0.1:" + port, "", 3);
    }
}
