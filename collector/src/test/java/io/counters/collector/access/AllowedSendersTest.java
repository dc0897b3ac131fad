package io.counters.collector.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AllowedSendersTest {
    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();

    private static long key(String address) throws UnknownHostException {
        return AddressKey.of(new InetSocketAddress(InetAddress.getByName(address), 1));
    }

    private boolean admits(String ranges, String address) throws UnknownHostException {
        AllowedSenders allowed = AllowedSenders.of(List.of(ranges.split(" ")));
        return new Gate(Port.UDP, allowed, said.log(), metrics).admits(key(address));
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.0.0.0, 10.255.255.255, 11.0.0.0",
        "10.0.0.7, 10.0.0.7, 10.0.0.7, 10.0.0.6",
        "10.0.0.7/32, 10.0.0.7, ::ffff:10.0.0.7, 10.0.0.8",
        "0.0.0.0/0, 0.0.0.1, 255.255.255.255, fd00::1",
        "0.0.0.0/8, 0.0.0.0, 0.255.255.255, ::2",
        "::ffff:10.0.0.0/104, 10.0.0.0, ::ffff:10.255.255.255, 11.0.0.0",
        "::ffff:10.0.0.7, 10.0.0.7, ::ffff:10.0.0.7, 10.0.0.6",
        "0.0.0.0/0, 1.0.0.0, 10.0.0.7, ::1",
        "::1, ::1, ::1, 0.0.0.1",
        "128.0.0.0/1, 128.0.0.0, 255.255.255.255, 127.255.255.255",
        "192.168.4.0/22, 192.168.4.0, 192.168.7.255, 192.168.8.0",
        "fd00::/8, fd00::1, fdff:ffff:ffff:ffff::1, fe00::1",
        "2001:db8:1:2::/64, 2001:db8:1:2::1, 2001:db8:1:2:ffff::, 2001:db8:1:3::1",
        "::1, ::1, 0:0:0:0:0:0:0:1, fd00::1",
        "10.0.0.0/8 fd00::/8 127.0.0.1, 127.0.0.1, fd12::9, 127.0.0.2",
    })
    void a_range_has_its_first_and_its_last_address_and_not_the_one_beside(
            String ranges, String first, String last, String beside) throws Exception {
        assertThat(admits(ranges, first)).isTrue();
        assertThat(admits(ranges, last)).isTrue();
        assertThat(said.lines()).isEmpty();

        assertThat(admits(ranges, beside)).isFalse();
        assertThat(metrics.values()).containsEntry("refused_senders_total{port=\"udp\"}", 1L);
    }

    @Test
    void a_range_of_ipv4_has_nothing_that_is_no_address() {
        Gate gate = new Gate(Port.UDP, AllowedSenders.of(List.of("0.0.0.0/0")), said.log(), metrics);

        for (long apart : new long[] {AddressKey.UNKNOWN, AddressKey.UNIX, AddressKey.HTTP}) {
            assertThat(gate.admits(apart)).isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.1/8, the range begins at 10.0.0.0",
        "fd00:0:0:1::/48, the range begins",
        "10.0.0.0/33, more than 32 bits",
        "1.0.0.0/7, the range begins at 0.0.0.0",
        "0.0.0.3/31, the range begins at 0.0.0.2",
        "fd00:0:0:1::/63, the range begins at fd00:0:0:0:0:0:0:0",
        "0.0.0.2/31, is in 0.0.0.0/8",
        "0.0.0.0, is in 0.0.0.0/8",
        "::ffff:10.0.0.0/95, at least 96 bits",
        "::ffff:10.0.0.0/129, more than 128 bits",
        "::ffff:10.0.0.1/104, the range begins at 10.0.0.0",
        "fd00::/129, more than 128 bits",
        "2001:db8::/65, at most /64",
        "2001:db8::1, at most /64",
        "::/0, at most /64",
        "10.0.0.256, is not an address",
        "10.0.0, is not an address",
        "example.org, is not an address",
        "10.0.0.0/x, is not an address",
        "10.0.0.0/, is not an address",
    })
    void a_range_that_breaks_a_rule_is_refused_with_it(String range, String rule) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> AllowedSenders.of(List.of(range)))
                .withMessageContaining("\"" + range + "\"")
                .withMessageContaining(rule);
    }

    @Test
    void a_range_may_be_for_one_port_and_a_port_without_any_takes_everyone() {
        assertThat(AccessSettings.allowed("")).isEmpty();
        assertThat(AccessSettings.allowed("udp:10.0.0.0/8, tcp:fd00::/8 ,192.168.0.0/16"))
                .containsOnly(
                        Map.entry(Port.UDP, AllowedSenders.of(List.of("10.0.0.0/8", "192.168.0.0/16"))),
                        Map.entry(Port.TCP, AllowedSenders.of(List.of("fd00::/8", "192.168.0.0/16"))),
                        Map.entry(Port.OTLP, AllowedSenders.of(List.of("192.168.0.0/16"))));
        assertThat(AccessSettings.allowed("otlp:10.0.0.0/8")).containsOnlyKeys(Port.OTLP);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> AccessSettings.allowed("http:10.0.0.0/8"))
                .withMessageContaining("http:10.0.0.0/8");
    }

    @Test
    void a_refused_sender_is_logged_with_its_address() throws Exception {
        assertThat(admits("10.0.0.0/8", "192.0.2.7")).isFalse();

        assertThat(said.lines())
                .containsExactly(
                        "WARN UDP from 192.0.2.7 is refused, because --allow does not list it; nothing of it is"
                                + " counted");
    }
}
