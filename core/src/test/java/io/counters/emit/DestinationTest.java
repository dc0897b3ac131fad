package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Ports;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class DestinationTest {
    private static final byte[] DATAGRAM = "increment a 1".getBytes(ISO_8859_1);

    private final List<String> log = new ArrayList<>();
    private final Names names = new Names();

    @Test
    void a_numeric_address_is_opened_without_a_look_up() {
        try (Destination destination = destination(EmitterSettings.to("127.0.0.1:9"))) {
            assertThat(destination.connect()).isFalse();

            assertThat(destination.transport()).isNotNull();
            assertThat(names.getState()).isEqualTo(Thread.State.NEW);
            assertThat(destination.isAwaited()).isFalse();
        }
    }

    @Test
    void a_name_that_does_not_resolve_is_awaited_and_logged_once() {
        try (Destination destination = destination(EmitterSettings.to("collector:9"))) {
            destination.connect();
            assertThat(destination.isAwaited()).isTrue();
            assertThat(log).isEmpty();

            names.answered = true;
            destination.connect();
            destination.connect();
            assertThat(destination.isAwaited()).isFalse();
            assertThat(destination.transport()).isNull();
            assertThat(log)
                    .containsExactly("collector collector:9: its name does not resolve; it is tried again, and"
                            + " counts are kept until then");

            names.are("127.0.0.1");
            assertThat(destination.connect()).isFalse();
            assertThat(destination.transport()).isNotNull();
        }
    }

    @Test
    void one_that_replaces_another_whose_address_has_no_route_any_more_uses_the_others_of_the_name() throws Exception {
        try (Destination destination = destination(EmitterSettings.to("collector:9"))) {
            destination.replaces(InetAddress.getByName("255.255.255.255"));
            names.are("255.255.255.255", "127.0.0.3");

            assertThat(destination.connect()).isFalse();

            assertThat(destination).hasToString("127.0.0.3:9");
            assertThat(log).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("slow")
    void a_collector_has_moved_only_if_its_name_no_longer_resolves_to_its_address(boolean follow) {
        EmitterSettings settings = EmitterSettings.to("collector:9").follow(follow);
        try (Destination destination = destination(settings)) {
            names.are("127.0.0.2", "127.0.0.3");
            destination.connect();
            UdpTransport first = Objects.requireNonNull(destination.transport());

            names.are("127.0.0.4", "127.0.0.2");
            assertThat(destination.connect()).isFalse();
            assertThat(destination.transport()).isSameAs(first);

            names.are("127.0.0.4", "127.0.0.3");
            List<Boolean> begins = new ArrayList<>();
            // At most one socket is opened per second.
            await().until(() -> {
                begins.add(destination.connect());
                return destination.transport() != first;
            });
            assertThat(begins.get(begins.size() - 1)).isEqualTo(!follow);
            assertThat(log).containsExactly("collector collector:9 has moved to 127.0.0.4");
            first.send(DATAGRAM, DATAGRAM.length);
            assertThat(first.faults()).as("the old socket is closed").isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.3, false", "127.0.0.5, true"})
    void one_that_replaces_a_closed_one_has_moved_only_if_the_name_no_longer_resolves_to_its_address(
            String address, boolean hasMoved) {
        Destination closed = destination(EmitterSettings.to("collector:9"));
        names.are("127.0.0.3");
        closed.connect();
        closed.close();
        Names later = new Names();
        later.are("127.0.0.4", address);
        EmitterSettings settings = EmitterSettings.to("collector:9");
        try (Destination destination = new Destination(settings.collectors().get(0), settings, later, log::add)) {
            destination.replaces(closed.address());

            assertThat(destination.connect()).isEqualTo(hasMoved);

            assertThat(destination).hasToString(hasMoved ? "127.0.0.4:9" : "127.0.0.3:9");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "true, 'nothing is lost if it comes back, because totals are repeated'",
        "false, 'their counts are lost'"
    })
    void a_refused_datagram_is_logged_with_whether_counts_are_lost(boolean totals, String outcome) throws Exception {
        int port = Ports.reserve();
        try (Destination destination =
                destination(EmitterSettings.to("127.0.0.1:" + port).totals(totals))) {
            destination.connect();
            UdpTransport transport = Objects.requireNonNull(destination.transport());
            transport.send(DATAGRAM, DATAGRAM.length);
            await().until(() -> {
                transport.listen();
                return transport.refusals() == 1;
            });

            destination.reportFaults();

            assertThat(log)
                    .singleElement()
                    .asString()
                    .contains("no program listens there (failed datagrams so far: 1)", outcome);
            assertThat(transport.faults()).isEqualTo(1);
        }
    }

    @Test
    void a_failed_socket_is_opened_again_for_the_same_stream() throws Exception {
        try (CollectorSocket collector = new CollectorSocket();
                Destination destination = destination(EmitterSettings.to("127.0.0.1:" + collector.port()))) {
            destination.connect();
            UdpTransport transport = Objects.requireNonNull(destination.transport());
            transport.close();
            while (!transport.send(new byte[2_000], transport.datagramBytes() > 1_432 ? 2_000 : 1_000)) {
                // At first the fault is treated as a datagram that is too long.
            }
            assertThat(transport.faults()).isEqualTo(1);

            assertThat(destination.connect()).isFalse();

            assertThat(destination.transport()).isSameAs(transport);
            assertThat(transport.datagramBytes()).isEqualTo(65_507);
            transport.send(DATAGRAM, DATAGRAM.length);
            await().until(() -> collector.received().value("a") == 1);
            assertThat(transport.faults()).isEqualTo(1);
            assertThat(log).isEmpty();
        }
    }

    @Test
    void an_address_without_a_route_is_skipped() throws Exception {
        try (CollectorSocket collector = new CollectorSocket();
                Destination destination = destination(EmitterSettings.to("collector:" + collector.port()))) {
            // A connection to a broadcast address needs privileges.
            names.are("255.255.255.255", "127.0.0.1");

            destination.connect();

            Objects.requireNonNull(destination.transport()).send(DATAGRAM, DATAGRAM.length);
            await().until(() -> collector.received().value("a") == 1);
            assertThat(log).isEmpty();
        }
    }

    @Test
    void a_socket_that_cannot_be_opened_is_logged_once() {
        try (Destination destination = destination(EmitterSettings.to("255.255.255.255:9"))) {
            destination.connect();
            destination.connect();

            assertThat(destination.transport()).isNull();
            assertThat(log)
                    .singleElement()
                    .asString()
                    .startsWith("collector 255.255.255.255:9: no socket could be opened (")
                    .endsWith("counts are kept until then");
        }
    }

    private Destination destination(EmitterSettings settings) {
        return new Destination(settings.collectors().get(0), settings, names, log::add);
    }

    /** Resolves the name to the addresses that the test sets. */
    private static final class Names extends Resolver {
        boolean answered;
        private InetAddress[] now = {};

        Names() {
            super("collector", host -> new InetAddress[0], 60_000);
        }

        void are(String... addresses) {
            try {
                InetAddress[] named = new InetAddress[addresses.length];
                for (int i = 0; i < named.length; i++) {
                    named[i] = InetAddress.getByName(addresses[i]);
                }
                now = named;
            } catch (UnknownHostException misshapen) {
                throw new AssertionError(misshapen);
            }
        }

        @Override
        public InetAddress[] addresses() {
            return now;
        }

        @Override
        boolean hasAnswered() {
            return answered || now.length > 0;
        }
    }
}
