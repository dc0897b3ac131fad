package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.ledger.PeerList;
import io.counters.collector.ledger.Push;
import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PusherTest {
    private static final String SELF = "10.0.0.1:11212";
    private static final PeerList PEERS = new PeerList(
            1, List.of(new PeerList.Peer(SELF, 1), new PeerList.Peer("10.0.0.2:11212", 1)), List.of(), List.of());

    private static final KetamaRing RING = new KetamaRing(PEERS.addresses(), 1, 1);

    @TempDir
    Path folder;

    /** A store in memory that answers, or does not. */
    private static final class SwitchedStore implements Store {
        final Map<String, Long> values = new HashMap<>();
        boolean isSilent;

        @Override
        public void send(Requests requests, Replies replies) {
            for (Push request : requests.take(Integer.MAX_VALUE)) {
                replies.settle(request, isSilent ? new Push.Unknown("told to") : reply(request));
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
        public String mark(String key) {
            return "";
        }

        @Override
        public void mark(String key, String text) {}

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

    /** A name that this collector owns in the list, or one that it does not. */
    private static String name(boolean isOwn) {
        for (int i = 0; ; i++) {
            byte[] name = ("counter" + i).getBytes(StandardCharsets.US_ASCII);
            if ((RING.owner(name, 0, name.length, new KetamaHash()) == 0) == isOwn) {
                return "counter" + i;
            }
        }
    }

    private static void rounds(int count, KeptLedger kept, Pusher pusher) {
        for (int round = 0; round < count; round++) {
            kept.datagram("increment " + name(true));
            kept.commit.run();
            pusher.run();
        }
    }

    @Test
    void a_store_that_answers_for_all_keys_is_up_even_if_the_key_that_it_did_not_answer_for_is_a_peers_now()
            throws Exception {
        SwitchedStore store = new SwitchedStore();
        try (KeptLedger kept = new KeptLedger(folder, true)) {
            Pusher pusher = new Pusher(kept.ledger, store, "", SELF, kept.said.log(), kept.self);
            pusher.begin();
            store.isSilent = true;
            kept.datagram("increment " + name(false));
            kept.commit.run();
            assertThat(pusher.run()).isFalse();
            assertThat(pusher.trouble()).contains("the store does not answer");
            assertThat(kept.counted("store_up")).isZero();

            kept.ledger.join(PEERS, SELF, () -> "0123456789abcdef0123456789abcdef");
            store.isSilent = false;
            rounds(599, kept, pusher);
            assertThat(store.values).containsOnlyKeys(name(true));
            assertThat(pusher.trouble())
                    .as("not every key may have been asked yet")
                    .isPresent();

            rounds(20, kept, pusher);
            assertThat(pusher.trouble()).isEmpty();
            assertThat(kept.counted("store_up")).isEqualTo(1);
        }
    }
}
