package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class QueueRoomTest {
    private static final byte[] MESSAGE = ("key:" + "1".repeat(991) + "|c\n").getBytes(ISO_8859_1);
    private static final long BYTES_MAX = 40L * QueueRoom.CHUNK_BYTES;
    private static final long MESSAGES_OF_A_CHUNK = QueueRoom.CHUNK_BYTES / MESSAGE.length;

    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();
    private final QueueRoom room = new QueueRoom(BYTES_MAX, said.log(), metrics);

    private static void fill(MessageQueue queue, long messages) {
        for (long i = 0; i < messages; i++) {
            queue.add(MESSAGE, 0, MESSAGE.length);
        }
    }

    private static void empty(MessageQueue queue) {
        for (ByteBuffer oldest = queue.oldest(); oldest != null; oldest = queue.oldest()) {
            int count = oldest.remaining();
            oldest.position(oldest.limit());
            queue.handedOn(count);
        }
    }

    private long bytes() {
        return metrics.values().getOrDefault("proxy_queue_bytes", -1L);
    }

    @Test
    void all_queues_together_stay_within_the_limit() {
        List<MessageQueue> queues = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            queues.add(room.queue("h:" + i));
        }

        queues.forEach(queue -> fill(queue, 10 * MESSAGES_OF_A_CHUNK));

        assertThat(bytes()).isLessThanOrEqualTo(BYTES_MAX);
        assertThat(queues.stream().mapToLong(MessageQueue::memory).sum()).isEqualTo(bytes());
        assertThat(metrics.values()).containsEntry("proxy_queue_bytes_max", BYTES_MAX);
    }

    @Test
    void a_server_that_is_down_takes_no_room_from_shorter_queues() {
        MessageQueue dead = room.queue("dead:1");
        MessageQueue slow = room.queue("slow:1");
        fill(slow, 3 * MESSAGES_OF_A_CHUNK);

        fill(dead, 100 * MESSAGES_OF_A_CHUNK);
        fill(slow, 3 * MESSAGES_OF_A_CHUNK);

        assertThat(slow.dropped()).isZero();
        assertThat(slow.bytes()).isEqualTo(6 * MESSAGES_OF_A_CHUNK * MESSAGE.length);
        assertThat(dead.dropped()).isEqualTo(66 * MESSAGES_OF_A_CHUNK);
        assertThat(said.lines()).singleElement().asString().contains("queue_bytes", "dead:1", "-Xmx");
    }

    @Test
    void two_servers_that_are_down_get_equal_room_in_either_order() {
        MessageQueue first = room.queue("first:1");
        MessageQueue second = room.queue("second:1");

        fill(first, 100 * MESSAGES_OF_A_CHUNK);
        fill(second, 100 * MESSAGES_OF_A_CHUNK);

        assertThat(Math.abs(first.memory() - second.memory())).isLessThanOrEqualTo(2L * QueueRoom.CHUNK_BYTES);
    }

    @Test
    void memory_is_freed_when_the_queues_are_empty() {
        MessageQueue queue = room.queue("h:1");
        fill(queue, 30 * MESSAGES_OF_A_CHUNK);

        empty(queue);

        assertThat(queue.memory()).isZero();
        assertThat(bytes()).as("spare chunks").isLessThanOrEqualTo(16L * QueueRoom.CHUNK_BYTES);
    }

    @Test
    void the_queue_of_a_removed_server_uses_no_memory() {
        MessageQueue left = room.queue("left:1");
        fill(left, 100 * MESSAGES_OF_A_CHUNK);

        left.close();
        MessageQueue stays = room.queue("stays:1");
        fill(stays, 40 * MESSAGES_OF_A_CHUNK);

        assertThat(stays.dropped()).isZero();
        assertThat(bytes()).isEqualTo(BYTES_MAX);
    }

    @Test
    void partly_sent_chunks_are_kept_even_when_the_room_is_full() {
        List<MessageQueue> queues = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            MessageQueue queue = room.queue("h:" + i);
            fill(queue, MESSAGES_OF_A_CHUNK);
            ByteBuffer oldest = Objects.requireNonNull(queue.oldest());
            oldest.position(1);
            queue.handedOn(1);
            queues.add(queue);
        }

        fill(queues.get(0), 2);

        assertThat(queues).allMatch(queue -> queue.dropped() == 0);
        assertThat(bytes()).isEqualTo(BYTES_MAX + QueueRoom.CHUNK_BYTES);
    }
}
