package io.counters.emit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EmitterSettingsTest {
    private static final String HEX = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private static final String FORM =
            "key is not of the form ID:FILE; write the key's ID and the file that has it, such as shop:/etc/counters/keys";

    @ParameterizedTest
    @CsvSource({
        "collector, collector:11212",
        "collector:1, collector:1",
        "collector:00001, collector:1",
        "' collector:65535 ', collector:65535",
        "127.0.0.1:80, 127.0.0.1:80",
        "::1, [::1]:11212",
        "[::1], [::1]:11212",
        "[::1]:80, [::1]:80",
        "fe80::1%eth0, [fe80::1%eth0]:11212",
        "h1*1, h1:11212",
        "h1:1*3;h2, h1:1*3;h2:11212",
        "' h1:1 * 1000000 ; [::1]:2*999999;h1:2*20000 ', h1:1*1000000;[::1]:2*999999;h1:2*20000",
    })
    void collectors_are_hosts_with_or_without_ports_and_weights(String collectors, String shown) {
        EmitterSettings settings = EmitterSettings.to(collectors);

        assertThat(settings).hasToString(shown);
        assertThat(EmitterSettings.to(shown)).hasToString(shown);
    }

    @Test
    void a_collector_on_the_ring_is_host_and_port_even_if_the_port_was_left_out() {
        assertThat(EmitterSettings.to("h1*3;h1:1;[::1]").collectors())
                .extracting(CollectorAddress::toString)
                .containsExactly("h1:11212", "h1:1", "[::1]:11212");
        assertThat(EmitterSettings.to("h1*3;h1:1").collectors())
                .extracting(address -> address.weight)
                .containsExactly(3, 1);
    }

    @Test
    void all_errors_of_a_list_are_in_one_message() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to("h1;h 2;h3:0*2;;H1:11212*2;h4*0;h5*1000001;h6*x;h7**2;h8*-1"))
                .withMessage("collector is \"h1;h 2;h3:0*2;;H1:11212*2;h4*0;h5*1000001;h6*x;h7**2;h8*-1\": "
                        + "\"h 2\" is not HOST:PORT with a port from 1 to 65535, "
                        + "\"h3:0\" is not HOST:PORT with a port from 1 to 65535, "
                        + "\"\" is not HOST:PORT with a port from 1 to 65535, "
                        + "the weight of \"h4*0\" is not a number from 1 to 1000000, "
                        + "the weight of \"h5*1000001\" is not a number from 1 to 1000000, "
                        + "the weight of \"h6*x\" is not a number from 1 to 1000000, "
                        + "the weight of \"h7**2\" is not a number from 1 to 1000000, "
                        + "the weight of \"h8*-1\" is not a number from 1 to 1000000, "
                        + "\"H1:11212*2\" appears twice"
                        + "; write HOST:PORT or HOST:PORT*WEIGHT, separate several by ;, and leave out the port if it"
                        + " is 11212");
    }

    @Test
    void a_weight_that_would_own_no_name_is_refused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to("h1*80;h2"))
                .withMessageContaining("\"h2:11212\" has a weight of 1 of 81, so it would own no name");
        assertThat(EmitterSettings.to("h1*79;h2")).hasToString("h1:11212*79;h2:11212");
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 65507", "127.9.9.9, 65507", "::1, 65507", "10.0.0.1, 1432", "fe80::1, 1432"})
    void datagrams_to_loopback_addresses_have_the_maximum_size(String address, int bytes) throws Exception {
        EmitterSettings settings = EmitterSettings.to("h");

        assertThat(settings.datagramBytes(InetAddress.getByName(address))).isEqualTo(bytes);
        assertThat(settings.datagramBytes(600).datagramBytes(InetAddress.getByName(address)))
                .isEqualTo(600);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "[fe80::1]:80"})
    void a_numeric_address_needs_no_name_server(String literal) {
        assertThat(EmitterSettings.to(literal).collectors().get(0).literal()).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "256.0.0.1", "1.2.3", "1.2.3.4.5", "a.b.c.d", "fe", "1::2::3"})
    void anything_else_is_a_name(String name) {
        assertThat(EmitterSettings.to(name).collectors().get(0).literal()).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", " ", ":", ":80", "a:", "a:0", "a:65536", "a:-1", "a:+80", "a:x", "a b:80", "[::1", "::1]", "[]",
                "[]:80", "[a]b:80"
            })
    void an_invalid_collector_is_refused_with_the_value_and_the_rule(String collector) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to(collector))
                .withMessageContaining("\"" + collector + "\"")
                .withMessageContaining("HOST:PORT");
    }

    @Test
    void defaults_are_one_sweep_a_second_with_totals() {
        EmitterSettings settings = EmitterSettings.to("a");

        assertThat(settings.sweepMillis()).isEqualTo(1000);
        assertThat(settings.totals()).isTrue();
    }

    @Test
    void a_changed_copy_differs_in_one_setting_and_leaves_the_original_unchanged() {
        EmitterSettings original = EmitterSettings.to("a:1");

        EmitterSettings changed = original.sweepMillis(10).datagramBytes(512).totals(false);

        assertThat(changed).hasToString("a:1");
        assertThat(changed.sweepMillis()).isEqualTo(10);
        assertThat(changed.datagramBytes(InetAddress.getLoopbackAddress())).isEqualTo(512);
        assertThat(changed.totals()).isFalse();
        assertThat(original.sweepMillis()).isEqualTo(1000);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 9, 60_001})
    void a_sweep_interval_outside_its_range_is_refused(long millis) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to("a").sweepMillis(millis))
                .withMessageContaining(millis + " ms");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 511, 65_508})
    void a_datagram_size_outside_its_range_is_refused(int bytes) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to("a").datagramBytes(bytes))
                .withMessageContaining(bytes + " bytes");
    }

    @Test
    void a_key_is_read_from_a_file_by_its_id(@TempDir Path folder) throws Exception {
        Path file =
                Files.writeString(folder.resolve("keys"), "# keys\nold " + HEX + "\nshop-1 " + HEX + " prefix=shop.\n");

        EmitterSettings signed = EmitterSettings.to("a").key("shop-1:" + file);

        assertThat(signed.key()).hasToString("shop-1");
        assertThat(signed.isSigned()).isTrue();
        assertThat(signed.sweepMillis(10).datagramBytes(512).follow(true).key()).hasToString("shop-1");
        assertThat(EmitterSettings.to("a").isSigned()).isFalse();
    }

    @Test
    void a_key_that_cannot_be_used_is_refused_with_the_rule_and_never_shown(@TempDir Path folder) throws Exception {
        Path good = Files.writeString(folder.resolve("good"), "old " + HEX + "\nshop-1 " + HEX);
        Path bad = Files.writeString(folder.resolve("bad"), "shop-1 " + HEX + "0\n" + HEX);
        Path large = Files.writeString(folder.resolve("large"), "#".repeat((1 << 20) + 1));

        assertThat(refusal("shop-1")).isEqualTo(FORM);
        assertThat(refusal(HEX)).isEqualTo(FORM);
        assertThat(refusal(":" + good)).isEqualTo(FORM);
        assertThat(refusal("shop-1:")).isEqualTo(FORM);
        assertThat(refusal("shop-2:" + good))
                .isEqualTo("key names a key that " + good + " does not have; it has: old, shop-1");
        assertThat(refusal("shop-1:" + bad))
                .startsWith("key: " + bad + " line 1 has a key of 65 hex digits")
                .contains("; " + bad + " line 2 has 1 word");
        assertThat(refusal("shop-1:" + large)).contains("more than 1 MiB");
        assertThat(refusal("shop-1:" + folder.resolve("none"))).contains("none, which does not exist");
        assertThat(refusal("shop-1:" + folder)).contains("which is not a regular file");
        assertThat(refusal("shop-1:" + HEX)).contains("(not shown, because it may be the key itself)");
        String base64 = "q83vEjRWeJCrze8SNFZ4kKvN7/I0VniQq83vEjRWeJA=";
        for (String secret : List.of(base64, "/" + base64, "q83v\0" + base64)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> EmitterSettings.to("a").key("shop-1:" + secret))
                    .satisfies(refused -> assertThat(refused.getMessage()).doesNotContain("q83v"))
                    .withNoCause();
        }
    }

    private static String refusal(String key) {
        try {
            EmitterSettings.to("a").key(key);
            throw new AssertionError(key + " was accepted");
        } catch (IllegalArgumentException refused) {
            assertThat(refused.getMessage()).doesNotContain(HEX.substring(0, 16));
            return String.valueOf(refused.getMessage());
        }
    }

    @Test
    void without_totals_nothing_can_be_signed(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("keys"), "shop " + HEX);
        String rule = "key is set and totals is off, but a signed datagram needs totals";

        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to("a").totals(false).key("shop:" + file))
                .withMessageStartingWith(rule);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to("a").key("shop:" + file).totals(false))
                .withMessageStartingWith(rule);
    }
}
