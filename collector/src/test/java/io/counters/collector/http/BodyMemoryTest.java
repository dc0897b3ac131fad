package io.counters.collector.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.AddressKey;
import io.counters.collector.http.Route.Work;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BodyMemoryTest {
    @Test
    void one_sender_gets_half_and_each_further_one_half_of_the_rest() {
        BodyMemory memory = new BodyMemory(1000);
        int first = 0;
        while (memory.reserve(1, 10)) {
            first += 10;
        }
        int second = 0;
        while (memory.reserve(2, 10)) {
            second += 10;
        }
        int third = 0;
        while (memory.reserve(3, 10)) {
            third += 10;
        }

        assertThat(first).isEqualTo(500);
        assertThat(second).isEqualTo(250);
        assertThat(third).isEqualTo(120);
        assertThat(memory.bytes()).isEqualTo(870);
        assertThat(memory.reserve(1, 1)).isFalse();
        assertThat(memory.reserve(4, 60)).isTrue();

        memory.release(1, 500);
        memory.release(2, 250);
        memory.release(3, 120);
        memory.release(4, 60);
        assertThat(memory.bytes()).isZero();
        assertThat(memory.reserve(5, 500)).isTrue();
    }

    @Test
    void all_loopback_addresses_are_one_sender() {
        BodyMemory memory = new BodyMemory(1000);
        assertThat(memory.reserve(AddressKey.ipv4(0x7f00_0001), 200)).isTrue();
        assertThat(memory.reserve(AddressKey.ipv4(0x7f00_0002), 200)).isTrue();
        assertThat(memory.reserve(AddressKey.ipv6(0, 1), 100)).isTrue();

        assertThat(memory.reserve(AddressKey.ipv4(0x7fff_ffff), 10)).isFalse();
        assertThat(memory.senders()).isEqualTo(1);
        assertThat(memory.reserve(AddressKey.ipv4(0x8000_0001), 10)).isTrue();

        memory.release(AddressKey.ipv6(0, 1), 500);
        assertThat(memory.reserve(AddressKey.ipv4(0x7f00_0003), 400)).isTrue();
    }

    @Test
    void a_sender_without_memory_is_not_remembered() {
        BodyMemory memory = new BodyMemory(1000);
        for (int sender = 0; sender < 1000; sender++) {
            // A request without a body, and one that ends with an empty part.
            assertThat(memory.reserve(sender, 0)).isTrue();
            memory.release(sender, 0);
            assertThat(memory.reserve(sender, 10)).isTrue();
            assertThat(memory.reserve(sender, 0)).isTrue();
            memory.release(sender, 10);
        }
        assertThat(memory.reserve(7, 600)).isFalse();

        assertThat(memory.senders()).isZero();
        assertThat(memory.bytes()).isZero();
    }

    @Test
    void a_body_takes_memory_until_its_work_is_done_even_if_its_client_has_gone() throws Exception {
        Semaphore working = new Semaphore(0);
        AtomicInteger begun = new AtomicInteger();
        try (ServedRoutes served = new ServedRoutes(Route.post("/work", 1000, Work.DISK, request -> {
            begun.incrementAndGet();
            working.acquireUninterruptibly();
            return Response.plain(200, request.body().length + "\n");
        }))) {
            String request = "POST /work HTTP/1.1\r\nHost: localhost\r\nContent-Length: 700\r\n\r\n" + "x".repeat(700);
            Browser one = served.browser().send(request);
            Browser other = served.browser().send(request);
            await().until(() -> begun.get() == 2);
            assertThat(served.port.bodyBytes()).isEqualTo(1400);

            served.seconds(11);
            for (Browser client : List.of(one, other)) {
                assertThat(client.reply().status()).isEqualTo(503);
                client.close();
            }
            await().until(() -> served.counted("http_connections") == 0);
            assertThat(served.port.bodyBytes()).isEqualTo(1400);

            // One that waits for its turn, and whose work never begins, takes none when it was answered.
            Browser waits = served.browser().send(request);
            await().until(() -> served.counted("http_waiting_requests") == 1);
            assertThat(served.port.bodyBytes()).isEqualTo(2100);
            served.seconds(11);
            assertThat(waits.reply().status()).isEqualTo(503);
            await().until(() -> served.port.bodyBytes() == 1400);

            working.release(2);
            await().until(() -> served.port.bodyBytes() == 0);
            assertThat(served.ask("GET", "/nothing").status()).isEqualTo(404);
        }
    }
}
