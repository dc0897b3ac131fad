package io.counters.collector.common;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the log of faults logs and keeps of rejected lines. */
class RejectedLinesTest {
    private final SaidFaults said = new SaidFaults();
    private final FaultLog faults = said.log();

    private record From(String protocol, long addressKey, int port) implements LineSender {
        @Override
        public String text() {
            return AddressKey.text(addressKey) + ":" + port;
        }
    }

    private static From udp(int address, int port) {
        return new From("UDP", AddressKey.ipv4(0x0a00_0000 + address), port);
    }

    private void reject(String reason, LineSender from, String line) {
        byte[] bytes = line.getBytes(ISO_8859_1);
        faults.rejected(reason, "a rule", from, 1, bytes, 0, bytes.length, () -> "a line of " + from.text());
    }

    private List<String> examples(String reason) {
        return faults.rejectedLines().stream()
                .filter(lines -> lines.reason().equals(reason))
                .flatMap(lines -> lines.examples().stream())
                .map(example -> example.sender() + " " + example.line())
                .toList();
    }

    @Test
    void each_reason_keeps_the_latest_line_of_each_sender_the_latest_first() {
        reject("name_letter", udp(1, 1000), "a@1:1|c");
        said.advance(Duration.ofSeconds(1));
        reject("name_letter", udp(2, 1000), "a@2:1|c");
        said.advance(Duration.ofSeconds(1));
        reject("name_letter", udp(1, 1000), "b@1:1|c");
        said.advance(Duration.ofSeconds(3));

        assertThat(faults.rejectedLines())
                .containsExactly(new RejectedLines(
                        "name_letter",
                        "a rule",
                        3,
                        List.of(
                                new RejectedLines.Example("UDP from 10.0.0.1:1000", 2, 3, "b@1:1|c"),
                                new RejectedLines.Example("UDP from 10.0.0.2:1000", 1, 4, "a@2:1|c"))));
    }

    @Test
    void many_lines_of_one_sender_hide_no_line_of_another_sender_or_reason() {
        reject("statsd_type", udp(2, 7), "orders:1|s");
        reject("name_letter", udp(1, 7), "orders@x:1|c");
        for (int i = 0; i < 100_000; i++) {
            said.advance(Duration.ofMillis(1));
            reject("statsd_type", udp(1, 7), "gauge" + i + ":1|g");
        }

        assertThat(examples("statsd_type"))
                .containsExactly("UDP from 10.0.0.1:7 gauge99999:1|g", "UDP from 10.0.0.2:7 orders:1|s");
        assertThat(examples("name_letter")).containsExactly("UDP from 10.0.0.1:7 orders@x:1|c");
    }

    @Test
    void an_address_that_always_sends_from_new_ports_replaces_only_its_own_examples() {
        for (int address = 2; address < 8; address++) {
            reject("statsd_type", udp(address, 7), "orders:1|s");
        }
        for (int i = 0; i < 10_000; i++) {
            said.advance(Duration.ofMillis(1));
            reject("statsd_type", udp(1, 10_000 + i), "gauge" + i + ":1|g");
        }

        assertThat(examples("statsd_type"))
                .hasSize(8)
                .filteredOn(text -> text.contains("orders"))
                .hasSize(6);
    }

    @Test
    void a_name_sent_from_always_new_ports_of_one_address_has_one_place() {
        reject("statsd_type", udp(1, 7), "orders:1|s");
        for (int i = 0; i < 10_000; i++) {
            said.advance(Duration.ofMillis(1));
            reject("statsd_type", udp(1, 10_000 + i), "gauge:" + i + "|g");
        }

        assertThat(examples("statsd_type"))
                .containsExactly("UDP from 10.0.0.1:19999 gauge:9999|g", "UDP from 10.0.0.1:7 orders:1|s");
    }

    @Test
    void senders_without_an_address_are_distinguished_by_their_lines() {
        From unix = new From("Unix", AddressKey.UNIX, 0);
        for (int i = 0; i < 1000; i++) {
            said.advance(Duration.ofMillis(1));
            reject("statsd_type", unix, i == 3 ? "orders:1|s" : "gauge:" + i + "|g");
        }

        assertThat(examples("statsd_type"))
                .containsExactly("Unix from this machine gauge:999|g", "Unix from this machine orders:1|s");
    }

    @Test
    void the_next_message_shows_the_lines_of_other_senders_for_the_same_reason() {
        reject("statsd_type", udp(1, 7), "gauge:1|g");
        said.advance(Duration.ofSeconds(20));
        reject("statsd_type", udp(2, 8), "orders:1|s\u001b[31m");
        said.advance(Duration.ofSeconds(40));
        reject("statsd_type", udp(1, 7), "gauge:2|g");
        said.advance(Duration.ofSeconds(60));
        reject("statsd_type", udp(1, 7), "gauge:3|g");

        assertThat(said.lines())
                .containsExactly(
                        "WARN a line of 10.0.0.1:7",
                        "WARN a line of 10.0.0.1:7; latest lines of other senders: UDP from 10.0.0.2:8 \"orders:1|s?[31m\""
                                + " (1 more since this was last logged; most from 10.0.0.2: 1)",
                        "WARN a line of 10.0.0.1:7");
    }

    @Test
    void the_number_and_length_of_examples_are_bounded() {
        for (int i = 0; i < 100_000; i++) {
            reject("statsd_type", udp(i, i % 65_536), "x".repeat(i % 200));
        }

        assertThat(faults.rejectedLines()).hasSize(1);
        assertThat(faults.rejectedLines().get(0).lines()).isEqualTo(100_000);
        assertThat(examples("statsd_type")).hasSize(8).allMatch(text -> text.length() < 120);
    }
}
