package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.ledger.Push;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PusherTest {
    @TempDir
    Path folder;

    /** A store in memory that answers, or does not. */
    private static final class SwitchedStore implements Store {
        final Map<String, Long> values = new HashMap<>();
        final Map<String, String> stamps = new HashMap<>();
        boolean isSilent;

        @Override
        public void send(Requests requests, Replies replies) {
            for (Push request : requests.take(Integer.MAX_VALUE)) {
                replies.answered(request, isSilent ? new Push.Unknown("told to") : reply(request));
            }
        }

        private Push.Reply reply(Push request) {
            if (request.kind() != Push.Kind.READ
                    && (request.kind() == Push.Kind.ADD || values.containsKey(request.key()))) {
                values.merge(request.key(), request.number(), Long::sum);
            }
            Long value = values.get(request.key());
            return value == null ? new Push.Missing() : new Push.Holds(value);
        }

        @Override
        public @Nullable String stamp(String key) throws IOException {
            if (isSilent) {
                throw new IOException("told to");
            }
            return stamps.get(key);
        }

        @Override
        public void stamp(String key, String text) {
            if (!isSilent) {
                stamps.put(key, text);
            }
        }

        @Override
        public String loss() {
            return "";
        }

        @Override
        public List<Server> servers() {
            return List.of();
        }

        @Override
        public void close() {
            // Nothing is open.
        }

        @Override
        public String toString() {
            return "the store";
        }
    }

    private static void rounds(int count, KeptLedger kept, Pusher pusher) {
        for (int round = 0; round < count; round++) {
            kept.datagram("increment here");
            kept.commit.run();
            pusher.run();
        }
    }

    @Test
    void a_store_that_answers_for_all_keys_is_up_even_if_the_key_that_it_did_not_answer_for_is_another_collectors_now()
            throws Exception {
        SwitchedStore store = new SwitchedStore();
        try (KeptLedger given = new KeptLedger(folder.resolve("given"), true);
                KeptLedger kept = new KeptLedger(folder.resolve("kept"), true)) {
            AtomicReference<List<Pusher.Target>> targets = new AtomicReference<>(
                    List.of(new Pusher.Target(given.ledger, "0"), new Pusher.Target(kept.ledger, "1")));
            Pusher pusher = new Pusher(targets::get, store, "", kept.said.log(), kept.metrics);
            pusher.begin();
            store.isSilent = true;
            given.datagram("increment there");
            given.commit.run();
            assertThat(pusher.run()).isFalse();
            assertThat(pusher.trouble()).contains("the store does not answer");
            assertThat(kept.counted("store_up")).isZero();

            targets.set(List.of(new Pusher.Target(kept.ledger, "1")));
            store.isSilent = false;
            rounds(599, kept, pusher);
            assertThat(store.values).containsOnlyKeys("here");
            assertThat(pusher.trouble())
                    .as("not every key may have been asked yet")
                    .isPresent();

            rounds(20, kept, pusher);
            assertThat(pusher.trouble()).isEmpty();
            assertThat(kept.counted("store_up")).isEqualTo(1);
        }
    }

    private static Pusher embedded(KeptLedger kept, Store store) {
        return new Pusher(kept.ledger, store, "shop", kept.said.log(), kept.metrics);
    }

    private static Pusher fleet(KeptLedger kept, Store store) {
        return new Pusher(
                () -> List.of(new Pusher.Target(kept.ledger, "0")), store, "shop", kept.said.log(), kept.metrics);
    }

    @Test
    void an_embedded_ledger_does_not_push_where_a_fleet_has_pushed_after_it() throws Exception {
        SwitchedStore store = new SwitchedStore();
        try (KeptLedger own = new KeptLedger(folder.resolve("own"), true);
                KeptLedger partition = new KeptLedger(folder.resolve("partition"), true, 2)) {
            rounds(3, own, embedded(own, store));
            rounds(3, partition, fleet(partition, store));
            Map<String, Long> before = Map.copyOf(store.values);

            Pusher again = embedded(own, store);
            assertThatThrownBy(again::begin)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot use the store: a fleet has written there after this ledger")
                    .hasMessageContaining("another --prefix");
            rounds(3, own, again);

            assertThat(store.values).isEqualTo(before);
            assertThat(again.trouble().orElseThrow()).contains("the store is not written: a fleet has written there");
            assertThat(own.said.lines()).singleElement().asString().contains("a fleet has written there");
        }
    }

    @Test
    void a_new_embedded_ledger_adopts_what_a_fleet_has_pushed_and_the_fleet_does_not_push_after_it() throws Exception {
        SwitchedStore store = new SwitchedStore();
        try (KeptLedger partition = new KeptLedger(folder.resolve("partition"), true, 2);
                KeptLedger own = new KeptLedger(folder.resolve("own"), true)) {
            rounds(3, partition, fleet(partition, store));
            assertThat(store.values).containsEntry("shophere", 3L);

            Pusher first = embedded(own, store);
            first.begin();
            rounds(4, own, first);
            embedded(own, store).begin();
            assertThat(own.said.lines()).singleElement().asString().contains("only amounts count");
            assertThat(store.values).containsEntry("shophere", 7L);

            Pusher fleetAgain = fleet(partition, store);
            rounds(3, partition, fleetAgain);
            assertThat(store.values).containsEntry("shophere", 7L);
            assertThat(fleetAgain.trouble().orElseThrow())
                    .contains("a collector with an embedded ledger has written there after this ledger");
        }
    }

    @Test
    void a_new_embedded_ledger_that_has_not_pushed_yet_is_not_refused_at_its_next_start() throws Exception {
        SwitchedStore store = new SwitchedStore();
        try (KeptLedger partition = new KeptLedger(folder.resolve("partition"), true, 2);
                KeptLedger own = new KeptLedger(folder.resolve("own"), true)) {
            rounds(3, partition, fleet(partition, store));

            Pusher first = embedded(own, store);
            first.begin();
            first.run();
            assertThat(store.stamps)
                    .as("nothing is committed")
                    .containsEntry("counters:fleet:shop", "ledger 2 commit 3");
            own.commit.run();
            store.isSilent = true;
            first.run();
            store.isSilent = false;
            first.run();
            assertThat(store.stamps).containsEntry("counters:fleet:shop", "left ledger 1 commit 1");
            store.isSilent = true;
            rounds(3, own, first);

            store.isSilent = false;
            Pusher again = embedded(own, store);
            again.begin();
            rounds(3, own, again);
            assertThat(store.values).containsEntry("shophere", 3L + 6);
        }
    }

    @Test
    void a_ledger_that_was_imported_after_the_way_back_from_a_fleet_is_pushed() throws Exception {
        SwitchedStore store = new SwitchedStore();
        try (KeptLedger partition = new KeptLedger(folder.resolve("partition"), true, 2);
                KeptLedger own = new KeptLedger(folder.resolve("own"), true);
                KeptLedger imported = new KeptLedger(folder.resolve("imported"), true, 3)) {
            rounds(3, partition, fleet(partition, store));
            Pusher back = embedded(own, store);
            back.begin();
            rounds(4, own, back);
            imported.ledger.add(own.ledger, name -> true, stream -> true);
            store.stamps.put("counters:ledger:shop:1", "ledger 2 commit 5");

            Pusher fleet = fleet(imported, store);
            rounds(3, imported, fleet);

            assertThat(fleet.trouble()).isEmpty();
            // Another partition is pushed later.
            Pusher other = new Pusher(
                    () -> List.of(new Pusher.Target(imported.ledger, "1")),
                    store,
                    "shop",
                    imported.said.log(),
                    imported.metrics);
            other.begin();
            assertThat(imported.said.lines()).isEmpty();
            assertThat(store.values).containsEntry("shophere", 3L + 4 + 3);
            assertThatThrownBy(embedded(own, store)::begin).hasMessageContaining("a fleet has written there");
        }
    }
}
