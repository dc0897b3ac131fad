package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FleetViewTest {
    private static final Member HERE = new Member("a", "10.0.0.1", 11213, Set.of(0, 1, 2, 5));
    private static final Member BESIDE = new Member("b", "10.0.0.1", 11313, Set.of(3));
    private static final Member AWAY = new Member("c", "10.0.0.2", 11213, Set.of(4));
    private static final FleetView VIEW = new FleetView("a", 6, List.of(HERE, BESIDE, AWAY));

    @Test
    void partitions_are_told_as_ranges() {
        assertThat(HERE.ranges()).isEqualTo("0-2, 5");
        assertThat(BESIDE.ranges()).isEqualTo("3");
        assertThat(new Member("d", "", 0, Set.of()).ranges()).isEmpty();
    }

    @Test
    void a_page_on_this_machine_has_an_address() {
        assertThat(VIEW.page(HERE)).isEqualTo("http://127.0.0.1:11213/");
        assertThat(VIEW.page(BESIDE)).isEqualTo("http://127.0.0.1:11313/");
        assertThat(VIEW.page(AWAY)).isEqualTo("on port 11213 of 10.0.0.2, on its loopback");
        assertThat(VIEW.page(new Member("d", "10.0.0.1", 0, Set.of()))).isEqualTo("on 10.0.0.1");
    }

    @Test
    void the_owner_of_a_partition_is_found() {
        assertThat(VIEW.owner(4)).hasValue(AWAY);
        assertThat(VIEW.owner(7)).isEmpty();
        assertThat(FleetView.NONE.isFleet()).isFalse();
    }

    @Test
    void the_port_is_read_from_the_client_id() {
        assertThat(Member.httpPort("web-1." + Member.role(11213))).isEqualTo(11213);
        assertThat(Member.httpPort("web-1.owner")).isZero();
        assertThat(Member.httpPort("something")).isZero();
    }
}
