package io.counters.collector.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.http.Browser.Reply;
import io.counters.collector.http.Route.Work;
import java.net.InetAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PipelinedRequestsTest {
    /** As many as one buffer of a port for programs has, but more than may wait. */
    private static final int SENT = 200;

    @Test
    void of_too_many_requests_at_once_as_many_as_may_wait_are_answered_and_the_next_is_refused() throws Exception {
        AtomicInteger counted = new AtomicInteger();
        Listening programs = Listening.programs(
                InetAddress.getLoopbackAddress(),
                0,
                "the port",
                "none is",
                new HttpLimits(10, 0, 32, 1 << 20),
                1,
                Guard.NONE);
        try (ServedRoutes served = new ServedRoutes(
                programs,
                Route.post(
                        "/count", 1000, Work.SOME, request -> Response.plain(200, counted.incrementAndGet() + "\n")))) {
            Browser browser = served.browser();
            browser.send("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1".repeat(SENT));

            // The first one is answered while the others wait.
            for (int i = 1; i <= 129; i++) {
                Reply reply = browser.reply();
                assertThat(reply.status()).isEqualTo(200);
                assertThat(reply.body()).isEqualTo(i + "\n");
            }
            Reply refused = browser.reply();
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.headers()).containsEntry("connection", "close");
            assertThat(browser.rest()).isEmpty();
            browser.close();
            await().until(() -> served.port.bodyBytes() == 0);
            assertThat(counted).hasValue(129);
            assertThat(served.counted("http_refused_total{reason=\"pipelined\"}"))
                    .isEqualTo(1);
        }
    }
}
