package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Collectors that share names: which of them has a value and publishes it, and when it is sent. */
class OwnershipTest {
    private static final String A = "a:1";
    private static final String B = "b:1";
    private static final String C = "c:1";
    private static final long DAY = 86_400_000;

    private final Map<String, PeerLedger> all = new LinkedHashMap<>();
    private final Map<String, Long> store = new HashMap<>();
    private LedgerSettings bounds = LedgerSettings.in(Path.of("unused"));

    private static PeerList list(long number, String... peers) {
        return new PeerList(
                number,
                List.of(peers).stream().map(peer -> new PeerList.Peer(peer, 1)).toList(),
                List.of(),
                List.of());
    }

    private static PeerList without(long number, List<String> out, List<String> gone, String... peers) {
        return new PeerList(
                number,
                list(number, peers).addresses().stream()
                        .map(peer -> new PeerList.Peer(peer, 1))
                        .toList(),
                out,
                gone);
    }

    /** A name that has this owner under each of the lists. */
    private static String owned(Map<PeerList, String> by) {
        return owned("counter.", by);
    }

    private static String owned(String prefix, Map<PeerList, String> by) {
        for (int i = 0; i < 100_000; i++) {
            String name = prefix + i;
            byte[] bytes = name.getBytes(ISO_8859_1);
            if (by.entrySet().stream()
                    .allMatch(entry -> entry.getKey()
                            .address(entry.getKey().owner(bytes, 0, bytes.length))
                            .equals(entry.getValue()))) {
                return name;
            }
        }
        throw new AssertionError("no name is owned by " + by);
    }

    private PeerLedger peer(String address, @Nullable PeerList list) {
        return new PeerLedger(address, all, store, bounds, list);
    }

    private void seconds(int count) {
        for (int i = 0; i < count; i++) {
            all.values().forEach(PeerLedger::second);
        }
    }

    @Test
    void a_hand_over_in_several_commits_is_published_only_when_it_is_complete() {
        int names = 4 * Ownership.PASSED_AT_ONCE;
        PeerList before = list(1, A);
        PeerLedger a = peer(A, before);
        for (int i = 0; i < names; i++) {
            a.count("counter." + i, i + 1);
        }
        seconds(3);
        PeerList after = list(2, A, B);
        PeerLedger b = peer(B, after);
        a.change(after);
        a.commit();
        assertThat(a.ledger.snapshot().size()).as("no longer owned by A").isBetween(names / 4, 3 * names / 4);
        a.second();
        b.second();

        assertThat(b.ledger.size()).as("the first part").isBetween(1, 3 * Ownership.PASSED_AT_ONCE);
        assertThat(b.ledger.snapshot().size()).as("nothing is published").isZero();
        assertThat(b.ledger.release(b.now)).containsExactly(A);
        seconds(10);

        long sum = 0;
        int size = 0;
        for (PeerLedger peer : all.values()) {
            Snapshot all = peer.ledger.snapshot();
            size += all.size();
            for (int i = 0; i < all.size(); i++) {
                sum += all.values()[i];
            }
        }
        assertThat(size).isEqualTo(names);
        assertThat(sum).isEqualTo(names * (names + 1L) / 2);
    }

    @Test
    void whole_is_not_sent_while_something_is_left_to_pass_on() {
        PeerList before = list(1, A, B);
        PeerList after = list(2, A, B, C);
        PeerLedger a = peer(A, before);
        peer(B, before);
        seconds(5);
        for (int i = 0; i < 8 * Ownership.PASSED_AT_ONCE; i++) {
            byte[] name = ("counter." + i).getBytes(ISO_8859_1);
            if (before.owner(name, 0, name.length) == 1) {
                a.count("counter." + i, 1);
            }
        }

        a.change(after);
        a.second();
        assertThat(said(a)).filteredOn(line -> !line.contains("relay")).allMatch(line -> line.contains("handing 2"));
        for (int i = 0; i < 10; i++) {
            a.second();
        }

        assertThat(said(a)).filteredOn(line -> !line.contains("relay")).allMatch(line -> line.contains("whole 2"));
    }

    /** The peer lines of a peer's streams. */
    private static List<String> said(PeerLedger peer) {
        return IntStream.range(0, 10)
                .mapToObj(peer.ledger::peerLine)
                .filter(Objects::nonNull)
                .map(line -> new String(line, ISO_8859_1))
                .toList();
    }

    @Test
    void an_amount_of_another_owner_is_committed_and_then_sent_to_it() {
        PeerList list = list(1, A, B);
        PeerLedger a = peer(A, list);
        PeerLedger b = peer(B, list);
        seconds(5);
        String name = owned(Map.of(list, B));

        a.count(name, 7);
        a.relays.send(peer -> null);
        a.disk.fail(a.ledger);
        a.ledger
                .takeRelayed()
                .forEach(relayed -> assertThat(relayed).as("not committed").isNull());
        assertThat(a.disk.values()).doesNotContainKey(name);
        seconds(2);

        assertThat(a.ledger.value(name)).isZero();
        assertThat(a.disk.values()).containsEntry(name, 0L);
        assertThat(b.ledger.value(name)).isEqualTo(7);
        assertThat(a.published(name)).isNull();
        assertThat(b.published(name)).isEqualTo(7);
        assertThat(store).containsEntry(name, 7L);
    }

    @Test
    void a_kill_between_commit_and_sending_neither_loses_nor_repeats_an_amount() {
        PeerList list = list(1, A, B);
        PeerLedger a = peer(A, list);
        PeerLedger b = peer(B, list);
        seconds(5);
        String name = owned(Map.of(list, B));

        a.count(name, -7);
        a.commit();
        a.begin(list);
        seconds(3);
        a.begin(list);
        seconds(70);

        assertThat(b.ledger.value(name)).isEqualTo(-7);
    }

    @Test
    void a_later_list_moves_values_to_their_new_owners_including_zeros() {
        PeerList before = list(1, A, B);
        PeerList after = list(2, A, B, C);
        PeerLedger a = peer(A, before);
        peer(B, before);
        seconds(5);
        String name = owned(Map.of(before, A, after, C));
        String zero = owned("zero.", Map.of(before, A, after, C));
        a.count(name, 7);
        a.count(zero, 7);
        a.count(zero, -7);
        seconds(3);
        assertThat(a.published(name)).isEqualTo(7);
        assertThat(a.published(zero)).isZero();

        PeerLedger c = peer(C, after);
        all.values().stream().filter(peer -> !peer.address.equals(C)).forEach(peer -> peer.change(after));
        seconds(5);

        assertThat(a.published(name)).isNull();
        assertThat(c.published(name)).isEqualTo(7);
        assertThat(a.published(zero)).isNull();
        assertThat(c.published(zero)).isZero();
        assertThat(store).containsEntry(name, 7L).containsEntry(zero, 0L);
    }

    @Test
    void a_new_owner_neither_pushes_nor_publishes_until_everything_has_arrived() {
        PeerList before = list(1, A, B);
        PeerList after = without(2, List.of(A), List.of(), B);
        PeerLedger a = peer(A, before);
        PeerLedger b = peer(B, before);
        seconds(5);
        String name = owned(Map.of(before, A));
        a.count(name, 7);
        seconds(3);
        b.change(after);
        b.count(name, 2);
        seconds(3);
        assertThat(b.published(name)).as("the former owner still publishes it").isNull();
        assertThat(a.published(name)).isEqualTo(7);
        assertThat(store).containsEntry(name, 7L);

        a.change(after);
        a.loses = true;
        seconds(3);
        assertThat(a.published(name)).as("the value is on its way").isNull();
        assertThat(b.published(name)).as("the value is on its way").isNull();
        b.feed.datagram(a.lastSent.replaceAll("(?m)^(in|de)crement .*\n", ""));
        seconds(1);
        assertThat(b.published(name)).as("WHOLE has arrived, the total has not").isNull();
        a.loses = false;
        seconds(70);

        assertThat(b.published(name)).isEqualTo(9);
        assertThat(store).containsEntry(name, 9L);
    }

    @Test
    void a_third_peer_that_is_down_delays_no_others_if_the_previous_list_was_settled() {
        PeerList before = list(1, A, B, C);
        PeerList after =
                new PeerList(2, List.of(new PeerList.Peer(A, 1), new PeerList.Peer(B, 9)), List.of(C), List.of());
        PeerLedger a = peer(A, before);
        PeerLedger b = peer(B, before);
        PeerLedger c = peer(C, before);
        seconds(5);
        String name = owned(Map.of(before, A, after, B));
        a.count(name, 7);
        seconds(3);

        c.isUp = false;
        a.change(after);
        b.change(after);
        seconds(5);

        assertThat(b.published(name)).isEqualTo(7);
        assertThat(b.counted("peers_awaited")).isEqualTo(1);
        String fresh = owned(Map.of(before, C, after, B));
        b.count(fresh, 1);
        seconds(5);
        assertThat(b.published(fresh)).as("the third peer may have a value").isNull();
        c.isUp = true;
        c.change(after);
        seconds(5);
        assertThat(b.published(fresh)).isEqualTo(1);
        assertThat(b.counted("peers_awaited")).isZero();
    }

    @Test
    void an_amount_sent_by_a_later_list_is_held_until_that_list_arrives_even_after_a_restart() {
        PeerList before = list(1, A, B);
        PeerList after = without(2, List.of(A), List.of(), B);
        PeerLedger a = peer(A, before);
        PeerLedger b = peer(B, before);
        seconds(5);
        String name = owned(Map.of(before, A));
        a.count(name, 7);
        seconds(3);

        a.change(after);
        seconds(3);
        assertThat(b.ledger.value(name)).isEqualTo(7);
        b.begin(before);
        seconds(3);
        assertThat(b.ledger.value(name)).as("not passed back").isEqualTo(7);
        b.change(after);
        seconds(3);

        assertThat(b.published(name)).isEqualTo(7);
        assertThat(a.ledger.value(name)).isZero();
    }

    @Test
    void an_amount_that_arrives_before_a_hand_over_is_complete_is_held() {
        PeerList before = list(1, A, B);
        PeerList after = without(2, List.of(A), List.of(), B);
        PeerLedger a = peer(A, before);
        PeerLedger b = peer(B, before);
        seconds(5);
        String name = owned(Map.of(before, A));
        a.count(name, 7);
        seconds(3);
        String stuck = owned("stuck.", Map.of(before, A));
        a.count(stuck, 1);
        a.commit();
        List<Push> hang = a.ledger.take(1000, 0);
        assertThat(hang).extracting(Push::key).contains(stuck);

        a.change(after);
        a.commit();
        a.relays.send(peer -> (bytes, length) -> {
            b.feed.datagram(new String(bytes, 0, length, ISO_8859_1));
            return true;
        });
        b.commit();

        assertThat(b.ledger.value(name))
                .as("not passed back, although more is to come")
                .isEqualTo(7);
        hang.forEach(push -> a.ledger.settle(push, new Push.Missing()));
        b.change(after);
        seconds(5);
        assertThat(b.published(name)).isEqualTo(7);
        assertThat(b.published(stuck)).isEqualTo(1);
    }

    @Test
    void the_new_owner_adopts_the_stored_value_of_a_peer_that_is_gone() {
        PeerList before = list(1, A, B);
        PeerList after = without(2, List.of(), List.of(A), B);
        PeerLedger a = peer(A, before);
        PeerLedger b = peer(B, before);
        seconds(5);
        String name = owned(Map.of(before, A));
        a.count(name, 7);
        seconds(3);
        a.isUp = false;

        b.change(after);
        b.count(name, 2);
        seconds(5);

        assertThat(b.published(name)).isEqualTo(9);
        assertThat(store).containsEntry(name, 9L);
    }

    @Test
    void a_collector_with_an_existing_ledger_joins_two_new_peers() {
        PeerList list = list(1, A, B, C);
        PeerLedger a = peer(A, null);
        String kept = owned(Map.of(list, A));
        String moved = owned(Map.of(list, B));
        a.count(kept, 5);
        a.count(moved, 7);
        for (int i = 0; i < 3; i++) {
            a.commit();
            a.push();
        }
        assertThat(store).containsEntry(moved, 7L);

        a.begin(list);
        PeerLedger b = peer(B, list);
        PeerLedger c = peer(C, list);
        seconds(5);

        assertThat(a.published(kept)).isEqualTo(5);
        assertThat(a.published(moved)).isNull();
        assertThat(b.published(moved)).isEqualTo(7);
        assertThat(c.published(moved)).isNull();
        assertThat(store).containsEntry(kept, 5L).containsEntry(moved, 7L);
    }

    @Test
    void a_ledger_from_a_backup_gives_its_streams_new_ids() {
        PeerList list = list(1, A, B);
        PeerLedger a = peer(A, list);
        PeerLedger b = peer(B, list);
        seconds(5);
        String name = owned(Map.of(list, B));
        a.count(name, 7);
        seconds(3);
        String before = a.lastSent.split(" ", -1)[1];

        a.begin(list);
        a.ledger.found(new Mark(a.ledger.mark().ledger(), a.ledger.mark().commit() + 1));
        seconds(1);
        assertThat(a.lastSent.split(" ", -1)[1]).isNotEqualTo(before);
        a.count(name, 2);
        seconds(3);

        assertThat(b.ledger.value(name)).isEqualTo(9);
    }

    @Test
    void a_name_is_published_from_the_second_full_second_after_it_arrived() {
        PeerList before = list(1, A, B);
        PeerList after = without(2, List.of(A), List.of(), B);
        PeerLedger a = peer(A, before);
        PeerLedger b = peer(B, before);
        seconds(5);
        String name = owned(Map.of(before, A));
        a.count(name, 7);
        seconds(3);
        a.change(after);
        b.change(after);
        a.second();
        b.ledger.release(20_001);
        b.commit();

        assertThat(b.published(20, name)).isNull();
        assertThat(b.published(21, name)).isNull();
        assertThat(b.published(22, name)).isEqualTo(7);
    }

    @Test
    void a_value_without_room_at_its_owner_stays_at_the_peer_until_there_is_room() {
        PeerList before = list(1, A, B);
        PeerList after = without(2, List.of(A), List.of(), B);
        PeerLedger a = peer(A, before);
        bounds = new LedgerSettings(
                Path.of("unused"), NameTable.memory("takes.the.room".length()), Long.MAX_VALUE, 100, 100, 100, DAY);
        PeerLedger b = peer(B, before);
        seconds(5);
        String name = owned(Map.of(before, A));
        b.count("takes.the.room", 1);
        a.count(name, 7);
        seconds(3);

        a.change(after);
        b.change(after);
        seconds(70);
        assertThat(b.ledger.value(name)).isZero();
        assertThat(b.ledger.value(Ledger.OVERFLOW)).isZero();
        assertThat(b.counted("peers_awaited")).as("shown in the metric").isEqualTo(1);
        b.bounds = LedgerSettings.in(Path.of("unused"));
        b.begin(after);
        seconds(140);

        assertThat(b.published(name)).isEqualTo(7);
    }

    @Test
    void a_value_larger_than_any_amount_is_handed_over_completely() {
        PeerList before = list(1, A, B);
        PeerList after = without(2, List.of(A), List.of(), B);
        PeerLedger a = peer(A, before);
        PeerLedger b = peer(B, before);
        seconds(5);
        String name = owned(Map.of(before, A));
        long amount = 1L << 53;
        a.count(name, amount);
        a.count(name, amount);
        a.count(name, amount);
        seconds(3);

        a.change(after);
        b.change(after);
        seconds(5);

        assertThat(b.published(name)).isEqualTo(3 * amount);
        assertThat(b.counted("ledger_quarantined_streams_total")).isZero();
    }

    @Test
    void a_peer_that_was_down_for_days_is_remembered_and_hands_over_by_totals_alone() {
        PeerList before = list(1, A, B);
        PeerList after = without(2, List.of(A), List.of(), B);
        PeerLedger a = peer(A, before);
        PeerLedger b = peer(B, before);
        seconds(5);
        String name = owned(Map.of(before, A));
        a.count(name, 7);
        seconds(3);
        a.isUp = false;
        b.change(after);
        seconds(1);
        b.begin(after);
        for (int i = 0; i < 30; i++) {
            b.now += DAY / 10;
            b.second();
        }

        a.isUp = true;
        a.now = b.now;
        a.begin(after);
        a.loses = true;
        seconds(2);
        a.loses = false;
        seconds(140);

        assertThat(b.published(name)).isEqualTo(7);
    }

    @Test
    void a_peer_line_of_an_unknown_address_is_ignored() {
        PeerList list = list(1, A, B);
        PeerLedger a = peer(A, list);
        seconds(3);

        a.feed.datagram(
                "from 8f2c6a1e0b7d4c93a5e1f07b 1 1\npeer whole 1 00000000 stranger:1 0\nincrement x 1 " + (1L << 60));

        assertThat(a.counted("ledger_quarantined_streams_total")).isEqualTo(1);
    }

    @Test
    void a_list_that_is_not_later_or_leaves_out_a_peer_is_refused() {
        PeerLedger a = peer(A, list(3, A, B));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> a.change(list(3, A, B, C)))
                .withMessageContaining("not higher");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> a.change(list(4, A, C)))
                .withMessageContaining("\"gone b:1\" if it will never come back");
        a.commit();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> a.begin(list(2, A, B)))
                .withMessageContaining("this ledger already uses list 3");
        assertThat(a.ledger.hasPeers()).isTrue();
    }
}
