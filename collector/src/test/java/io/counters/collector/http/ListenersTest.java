package io.counters.collector.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.http.Browser.Reply;
import io.counters.collector.http.Route.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ListenersTest {
    private static final String HUGE = "x".repeat(8 * 1024);

    private final Listeners listeners = new Listeners();
    private final AtomicLong newest = new AtomicLong();
    private final AtomicInteger made = new AtomicInteger();
    private ServedRoutes served;

    @BeforeEach
    void open() throws IOException {
        served = new ServedRoutes(
                Route.get("/live", Work.NONE, request -> Response.events(listeners, numbers(""))),
                Route.get("/live-made", Work.MUCH, request -> Response.events(listeners, numbers(""))),
                Route.get("/live-huge", Work.NONE, request -> Response.events(listeners, numbers(HUGE))),
                Route.get("/live-fails", Work.NONE, request -> Response.events(listeners, failing())),
                Route.get("/quick", Work.NONE, request -> Response.plain(200, "quick\n")),
                Route.get("/some", Work.SOME, request -> Response.plain(200, "some\n")),
                Route.get("/much", Work.MUCH, request -> Response.plain(200, "much\n")));
    }

    @AfterEach
    void close() throws IOException {
        served.close();
    }

    /** The newest number, if it is not the one that was sent last. */
    private Text numbers(String filling) {
        AtomicLong told = new AtomicLong(-1);
        return out -> {
            long now = newest.get();
            if (told.getAndSet(now) != now) {
                made.incrementAndGet();
                out.append("data: ").append(filling).append(now).append("\n\n");
            }
            return false;
        };
    }

    private Text failing() {
        return out -> {
            if (newest.get() == 0) {
                throw new IllegalStateException("no");
            }
            out.append("data: fine\n\n");
            return false;
        };
    }

    private void tell(long number) {
        newest.set(number);
        listeners.wake();
    }

    private Browser listening(String path) throws IOException {
        Browser browser = served.browser().ask("GET", path);
        assertThat(browser.head().headers())
                .containsEntry("content-type", "text/event-stream")
                .containsEntry("cache-control", "no-store")
                .containsEntry("transfer-encoding", "chunked");
        return browser;
    }

    private void awaitListeners(long count) {
        await().until(() -> served.counted("http_listeners") == count);
    }

    @Test
    void a_listener_gets_the_state_at_once_and_each_new_one() throws IOException {
        Browser browser = listening("/live");

        assertThat(browser.chunk()).isEqualTo("data: 0\n\n");
        for (int i = 1; i < 50; i++) {
            tell(i);
            assertThat(browser.chunk()).isEqualTo("data: " + i + "\n\n");
        }
    }

    @Test
    void waking_when_nothing_is_new_sends_nothing() throws IOException {
        Browser browser = listening("/live");
        assertThat(browser.chunk()).isEqualTo("data: 0\n\n");

        listeners.wake();
        listeners.wake();
        tell(1);

        assertThat(browser.chunk()).isEqualTo("data: 1\n\n");
        assertThat(made).hasValue(2);
    }

    @Test
    void no_events_are_created_without_listeners() throws IOException {
        assertThat(listeners.isEmpty()).isTrue();
        tell(1);
        assertThat(made).hasValue(0);

        Browser browser = listening("/live");
        assertThat(browser.chunk()).isEqualTo("data: 1\n\n");
        assertThat(listeners.isEmpty()).isFalse();
        browser.close();

        await().until(listeners::isEmpty);
        tell(2);
        assertThat(made).hasValue(1);
    }

    @Test
    void a_slow_reader_gets_the_newest_state_and_not_those_in_between() throws Exception {
        Browser slow = served.browser(4096).ask("GET", "/live-huge");
        await().until(() -> made.get() == 1);
        Browser quick = listening("/live");
        assertThat(quick.chunk()).isEqualTo("data: 0\n\n");
        int states = 2000;

        for (int i = 1; i <= states; i++) {
            tell(i);
            assertThat(quick.chunk()).isEqualTo("data: " + i + "\n\n");
        }

        // All events of the quick client were created; of the slow one only those that fit into the kernel's buffers.
        assertThat(made.get() - states).isLessThan(states / 4);
        slow.head();
        String last = "";
        while (!last.endsWith("x" + states + "\n\n")) {
            last = slow.chunk();
        }
        assertThat(served.counted("http_timeouts_total")).isZero();
    }

    @Tag("slow")
    @Test
    void a_listener_that_reads_nothing_for_10_seconds_is_closed() throws Exception {
        served.browser(4096).ask("GET", "/live-huge");
        awaitListeners(1);
        AtomicInteger before = new AtomicInteger(-1);
        AtomicLong number = new AtomicLong();
        await().until(() -> {
            tell(number.incrementAndGet());
            served.port.loop.submit(() -> {}).get();
            return before.getAndSet(made.get()) == made.get();
        });

        served.seconds(10);

        awaitListeners(0);
        assertThat(served.counted("http_timeouts_total")).isEqualTo(1);
        assertThat(listeners.isEmpty()).isTrue();
    }

    @Test
    void many_listeners_do_not_delay_other_requests() throws IOException {
        List<Browser> browsers = new ArrayList<>();
        for (int i = 0; i < HttpLimits.PAGE.listeners(); i++) {
            browsers.add(listening(i % 2 == 0 ? "/live" : "/live-made"));
        }
        for (Browser browser : browsers) {
            assertThat(browser.chunk()).isEqualTo("data: 0\n\n");
        }

        for (String path : List.of("/quick", "/some", "/much")) {
            assertThat(served.ask("GET", path).status()).isEqualTo(200);
        }
        tell(1);
        for (Browser browser : browsers) {
            assertThat(browser.chunk()).isEqualTo("data: 1\n\n");
        }
    }

    @Test
    void a_listener_beyond_the_limit_is_refused_until_another_leaves() throws IOException {
        List<Browser> browsers = new ArrayList<>();
        for (int i = 0; i < HttpLimits.PAGE.listeners(); i++) {
            browsers.add(listening("/live"));
        }
        awaitListeners(HttpLimits.PAGE.listeners());

        Reply refused = served.ask("GET", "/live");

        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.headers()).containsEntry("retry-after", "5");
        assertThat(refused.body()).contains("50 clients");
        assertThat(served.counted("http_refused_total{reason=\"listeners\"}")).isEqualTo(1);
        browsers.get(7).close();
        awaitListeners(HttpLimits.PAGE.listeners() - 1);
        assertThat(listening("/live").chunk()).isEqualTo("data: 0\n\n");
    }

    @Test
    void idle_listeners_get_a_heartbeat_and_are_not_replaced_by_others() throws Exception {
        Browser browser = listening("/live");
        assertThat(browser.chunk()).isEqualTo("data: 0\n\n");
        for (int i = 0; i < 3; i++) {
            // The event loop must have noticed that everything is sent.
            served.port.loop.submit(() -> {}).get();
            served.seconds(15);
            assertThat(browser.chunk()).isEqualTo(":\n\n");
        }

        for (int i = 0; i < HttpLimits.PAGE.connections() + 20; i++) {
            served.browser();
        }
        assertThat(served.ask("GET", "/quick").status()).isEqualTo(200);

        tell(1);
        assertThat(browser.chunk()).isEqualTo("data: 1\n\n");
    }

    @Test
    void a_head_request_gets_no_events() throws IOException {
        assertThat(served.ask("HEAD", "/live").status()).isEqualTo(200);

        assertThat(listeners.isEmpty()).isTrue();
        assertThat(served.counted("http_listeners")).isZero();
    }

    @Test
    void pages_of_other_sites_may_not_listen() throws IOException {
        assertThat(served.ask("GET", "/live", "Sec-Fetch-Site: cross-site").status())
                .isEqualTo(403);
        assertThat(served.ask("GET", "/live", "Origin: http://evil.example").status())
                .isEqualTo(403);
        assertThat(served.counted("http_listeners")).isZero();
    }

    @Test
    void an_error_in_events_ends_only_their_answer() throws IOException {
        assertThat(served.ask("GET", "/live-fails").status()).isEqualTo(500);
        newest.set(1);
        Browser fails = listening("/live-fails");
        assertThat(fails.chunk()).isEqualTo("data: fine\n\n");
        Browser other = listening("/live");
        assertThat(other.chunk()).isEqualTo("data: 1\n\n");

        tell(0);

        fails.rest();
        assertThat(other.chunk()).isEqualTo("data: 0\n\n");
        awaitListeners(1);
        assertThat(served.counted("http_errors_total")).isEqualTo(2);
    }

    @Test
    void the_end_of_the_port_ends_open_answers() throws IOException {
        Browser browser = listening("/live");
        assertThat(browser.chunk()).isEqualTo("data: 0\n\n");

        served.port.close();

        assertThat(browser.rest()).isEmpty();
        await().until(listeners::isEmpty);
        listeners.wake();
    }
}
