package io.counters.collector.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressKeyTest {
    @ParameterizedTest
    @CsvSource({
        "10.0.0.7,                 10.0.0.7",
        "255.255.255.254,          255.255.255.254",
        "::ffff:10.0.0.7,          10.0.0.7",
        "::1,                      ::1",
        "2001:db8:0:1:2:3:4:5,     2001:db8:0:1:0:0:0:0/64",
        "2001:db8:0:1:ffff::,      2001:db8:0:1:0:0:0:0/64",
        "fe80::1,                  fe80:0:0:0:0:0:0:0/64",
        "::2,                      ::/32",
        "::,                       ::/32",
        "0:0:0:3::1,               ::/32",
        "0:0:a00:7::1,             ::/32",
        "::ffff:0.0.0.3,           0.0.0.0/8",
        "0.0.0.0,                  0.0.0.0/8",
        "0.0.0.3,                  0.0.0.0/8",
    })
    void the_text_of_a_key_is_its_address(String address, String text) throws UnknownHostException {
        long key = AddressKey.of(new InetSocketAddress(InetAddress.getByName(address), 4711));

        assertThat(key).isNotIn(AddressKey.UNKNOWN, AddressKey.UNIX, AddressKey.HTTP);
        assertThat(AddressKey.text(key)).isEqualTo(text);
    }

    @Test
    void an_unknown_address_has_a_key_and_a_text() {
        assertThat(AddressKey.of(null)).isEqualTo(AddressKey.UNKNOWN);
        assertThat(AddressKey.text(AddressKey.UNKNOWN)).isEqualTo("an unknown address");
        assertThat(AddressKey.text((InetSocketAddress) null)).isEqualTo("an unknown address");
    }

    @SuppressWarnings("AddressSelection") // Literal addresses, which are not looked up.
    @Test
    void an_address_is_shown_with_its_port() throws UnknownHostException {
        assertThat(AddressKey.text(new InetSocketAddress(InetAddress.getByName("10.0.0.7"), 4711)))
                .isEqualTo("10.0.0.7:4711");
        assertThat(AddressKey.text(new InetSocketAddress(InetAddress.getByName("::1"), 4711)))
                .isEqualTo("[0:0:0:0:0:0:0:1]:4711");
    }
}
