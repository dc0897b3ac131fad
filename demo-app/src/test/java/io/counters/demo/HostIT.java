package io.counters.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.Program;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Problems with counting must not affect the shop. */
class HostIT {
    /** Runs the shop with the agent and these settings to its end; returns what the agent logged after its first line. */
    private static List<String> complaints(String settings) throws Exception {
        try (Program shop = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=" + settings,
                "-jar",
                Jars.shop().toString(),
                "--orders",
                "100"))) {
            assertThat(shop.awaitEnd()).as("%s", shop).isZero();
            assertThat(shop.output()).contains("orders.placed 100");
            assertThat(shop.output()).allMatch(line -> line.matches("[a-z_.,=]+ -?\\d+"));
            assertThat(shop.errors()).allMatch(line -> line.startsWith("counters: "));
            return shop.errors().stream()
                    .filter(line -> !line.startsWith("counters: agent 0"))
                    .toList();
        }
    }

    /** On a busy machine the program may end before a sweep has logged it; then the last sweep logs it, in the past tense. */
    @ParameterizedTest
    @CsvSource({
        "collector=127.0.0.1:1,          no program listen(s|ed) there",
        "collector=no-such-host.invalid, does not resolve",
    })
    void a_missing_collector_is_logged_in_one_line(String settings, String complaint) throws Exception {
        assertThat(complaints(settings + ",sweep=50ms"))
                .singleElement()
                .asString()
                .containsPattern(complaint);
    }

    @ParameterizedTest
    @CsvSource({
        "sweep=often,            sweep is",
        "collektor=h,            collector",
        "methods=Warehouse#a#b,  Warehouse#a#b",
        "settings=no/such/file,  no/such/file",
    })
    void an_invalid_setting_is_logged_in_one_line_and_no_count_is_lost(String setting, String complaint)
            throws Exception {
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            collector.setSoTimeout(10_000);

            List<String> complaints = complaints(setting + ",collector=127.0.0.1:" + collector.getLocalPort());

            assertThat(complaints).singleElement().asString().contains(complaint);
            StringBuilder counts = new StringBuilder();
            // On a busy machine there is a sweep before the first order.
            while (counts.indexOf("increment orders.placed ") < 0) {
                DatagramPacket datagram = new DatagramPacket(new byte[2000], 2000);
                collector.receive(datagram);
                counts.append(new String(datagram.getData(), 0, datagram.getLength(), US_ASCII));
            }
        }
    }
}
