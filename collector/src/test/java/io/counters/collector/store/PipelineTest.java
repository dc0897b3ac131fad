package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Cases that a real server cannot be made to produce. */
class PipelineTest {
    private static final int WINDOW = 10;

    private final List<Push> asked = new ArrayList<>();
    private final List<Reply> replies = new ArrayList<>();

    private void send(Reply reply) {
        Pipeline.Client client = new Pipeline.Client() {
            @Override
            public String server(String key) {
                return "a server";
            }

            @Override
            public void ask(Pipeline.Batch batch) {
                batch.askEach(request -> {
                    asked.add(request);
                    return CompletableFuture.completedFuture(reply);
                });
            }
        };
        List<Push> requests = IntStream.range(0, 3 * WINDOW + 1)
                .mapToObj(counter -> new Push(counter, "c" + counter, Kind.READ, 0))
                .toList();
        new Pipeline(client, WINDOW, () -> 0)
                .send(StoreContract.source(requests), (request, answer) -> replies.add(answer));
    }

    @Test
    void after_one_window_without_answers_no_more_requests_are_taken() {
        send(new Unknown("TimeoutException"));

        assertThat(asked).hasSize(WINDOW);
        assertThat(replies).hasSize(WINDOW).allMatch(Unknown.class::isInstance);
    }

    @Test
    void the_next_half_and_no_more_is_sent_before_the_previous_one_is_answered() {
        List<Pipeline.Batch> batches = new ArrayList<>();
        Pipeline.Client client = new Pipeline.Client() {
            @Override
            public String server(String key) {
                return "a server";
            }

            @Override
            public void ask(Pipeline.Batch batch) {
                batches.add(batch);
                // Each half is answered once the next one is sent, the last one at once.
                boolean isLast = batches.size() == 3;
                for (Pipeline.Batch one : isLast ? batches.subList(1, 3) : batches.subList(0, batches.size() - 1)) {
                    for (int place = 0; place < one.size(); place++) {
                        one.answer(place, new Holds(one.request(place).counter()));
                    }
                }
            }
        };
        List<Push> requests = IntStream.range(0, WINDOW + 1)
                .mapToObj(counter -> new Push(counter, "c" + counter, Kind.READ, 0))
                .toList();

        new Pipeline(client, WINDOW, () -> 0).send(StoreContract.source(requests), (request, answer) -> {
            assertThat(answer).isEqualTo(new Holds(request.counter()));
            replies.add(answer);
        });

        assertThat(replies).hasSize(WINDOW + 1);
        assertThat(batches).extracting(Pipeline.Batch::size).containsExactly(WINDOW / 2, WINDOW / 2, 1);
    }

    @Test
    void a_server_that_answers_gets_window_after_window() {
        send(new Holds(1));

        assertThat(asked).hasSize(3 * WINDOW + 1);
        assertThat(replies).hasSize(3 * WINDOW + 1).allMatch(Holds.class::isInstance);
    }
}
