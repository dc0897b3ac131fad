package io.counters.collector.otlp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The sink of one collector sends by OTLP to the port of another, while both are killed and what is between them fails. */
@Tag("once")
@Timeout(180)
class CollectorToCollectorIT {
    private static final int NAMES = 20;

    @TempDir
    Path folder;

    private final HttpClient web = HttpClient.newHttpClient();
    private final Random random = new Random(23);
    private final SortedMap<String, Long> sums = new TreeMap<>();
    private int port;

    @SuppressWarnings("NullAway.Init") // Set by the test first.
    private Relay relay;

    @SuppressWarnings("NullAway.Init")
    private CollectorProgram first;

    @SuppressWarnings("NullAway.Init")
    private CollectorProgram second;

    private int requests;

    private CollectorProgram first() throws Exception {
        return CollectorProgram.start(
                folder.resolve("first"),
                "--otlp-port=0",
                "--interval=1s",
                "--tags=src=first",
                "--sink=otlp:" + relay.address());
    }

    private CollectorProgram second() throws Exception {
        return CollectorProgram.start(folder.resolve("second"), "--otlp-port=" + port);
    }

    @AfterEach
    void close() {
        first.close();
        second.close();
        relay.close();
    }

    /** Counts in all names, in a request that is answered after the commit. */
    private void count() throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < NAMES; i++) {
            String name = "orders.c" + i + (i % 2 == 0 ? ",method=card" : "");
            long amount = 1L + random.nextInt(9);
            lines.append("increment ").append(name).append(' ').append(amount).append('\n');
            sums.merge(name, amount, Long::sum);
        }
        // Decremented from the beginning: a metric that is decremented later begins anew.
        int closed = 1 + random.nextInt(3);
        lines.append("increment carts 3\ndecrement carts ").append(closed).append('\n');
        sums.merge("carts", 3L - closed, Long::sum);
        HttpResponse<String> answer = web.send(
                HttpRequest.newBuilder(URI.create(first.otlpAddress() + "/count"))
                        .timeout(Duration.ofSeconds(30))
                        .header("Idempotency-Key", "collector-to-collector/" + ++requests)
                        .POST(HttpRequest.BodyPublishers.ofString(lines.toString()))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    }

    private void awaitSame() {
        SortedMap<String, Long> expected = new TreeMap<>();
        sums.forEach((name, sum) -> expected.put(name + ",src=first", sum));
        await().atMost(CollectorProgram.PATIENCE)
                .untilAsserted(() -> assertThat(second.counters()).isEqualTo(expected));
    }

    /** Until so many more requests have met this. */
    private void awaitRequests(Relay.Manner manner) {
        relay.manner = manner;
        int refused = relay.refused.get();
        int forwarded = relay.forwarded.get();
        await().until(() -> relay.refused.get() > refused + 1 || relay.forwarded.get() > forwarded + 1);
    }

    @Test
    void values_are_equal_after_kills_of_both_and_outages_between_them() throws Exception {
        port = Ports.reserve();
        relay = new Relay(port);
        second = second();
        first = first();
        count();
        awaitSame();

        // The one that takes is away, and then has to be sent what it has missed.
        second.kill();
        count();
        awaitRequests(Relay.Manner.FORWARD);
        count();
        second = second();
        awaitSame();

        // The one that sends is killed while it cannot deliver.
        awaitRequests(Relay.Manner.REFUSE);
        count();
        awaitRequests(Relay.Manner.REFUSE);
        first.kill();
        first = first();
        count();
        relay.manner = Relay.Manner.FORWARD;
        awaitSame();

        // Answers are lost, so that everything is sent again, also to one that was killed meanwhile.
        awaitRequests(Relay.Manner.LOSE_ANSWER);
        count();
        awaitRequests(Relay.Manner.LOSE_ANSWER);
        second.kill();
        first.kill();
        second = second();
        first = first();
        relay.manner = Relay.Manner.FORWARD;
        count();
        awaitSame();

        assertThat(relay.faults).isEmpty();
        assertThat(relay.series()).isEqualTo(NAMES + 1);
        assertThat(relay.refused).hasPositiveValue();
        assertThat(second.metric("otlp_rejected_points_total")).isZero();
        assertThat(second.metric("otlp_resets_total")).isZero();
        assertThat(relay.forwarded).hasValueGreaterThan(5);
    }
}
