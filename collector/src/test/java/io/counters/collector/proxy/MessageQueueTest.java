package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MessageQueueTest {
    private static final int BYTES_MAX = 5 * QueueRoom.CHUNK_BYTES;

    private final SaidFaults said = new SaidFaults();
    private final QueueRoom room = new QueueRoom(BYTES_MAX, said.log(), new Metrics());
    private final MessageQueue queue = room.queue("h:1");

    private void add(String message) {
        byte[] in = ("..." + message).getBytes(ISO_8859_1);
        queue.add(in, 3, in.length);
    }

    /** Sends this many bytes, or all if there are fewer; returns them. */
    private String handOn(int most) {
        StringBuilder read = new StringBuilder();
        for (ByteBuffer oldest = queue.oldest(); oldest != null && read.length() < most; oldest = queue.oldest()) {
            byte[] bytes = new byte[Math.min(oldest.remaining(), most - read.length())];
            oldest.get(bytes);
            queue.handedOn(bytes.length);
            read.append(new String(bytes, ISO_8859_1));
        }
        return read.toString();
    }

    private List<String> drained() {
        List<String> messages = new ArrayList<>();
        queue.drain((in, begin, end) -> messages.add(new String(in, begin, end - begin, ISO_8859_1)));
        return messages;
    }

    @Test
    void messages_come_out_in_the_order_in_which_they_were_added() {
        add("a:1|c\n");
        add("b:2|c\n");

        assertThat(queue.bytes()).isEqualTo(12);
        assertThat(handOn(100)).isEqualTo("a:1|c\nb:2|c\n");
        assertThat(queue.isEmpty()).isTrue();
        assertThat(queue.oldest()).isNull();
    }

    @Test
    void rewind_restores_the_cut_message_and_removes_the_messages_before_it() {
        add("a:1|c\n");
        add("b:2|c\n");
        add("c:3|c\n");
        handOn(8);

        assertThat(queue.rewind()).isEqualTo(1);

        assertThat(queue.bytes()).isEqualTo(12);
        assertThat(handOn(100)).isEqualTo("b:2|c\nc:3|c\n");
    }

    @Test
    void rewind_between_two_messages_repeats_none() {
        add("a:1|c\n");
        add("b:2|c\n");
        handOn(6);

        assertThat(queue.rewind()).isEqualTo(1);
        assertThat(queue.rewind()).isZero();
        assertThat(drained()).containsExactly("b:2|c\n");
    }

    @Test
    void a_batch_is_one_message() {
        String batch = "from 0123456789abcdef 1 1\nincrement a 1 1\nincrement b 1 1\nfrom -\n";
        add("x:1|c\n");
        add(batch);
        add("y:1|c\n");
        handOn(6 + 40);
        queue.rewind();

        assertThat(drained()).containsExactly(batch, "y:1|c\n");
    }

    @Test
    void a_full_queue_drops_its_oldest_messages_and_counts_them() {
        int count = 20_000;
        for (int i = 0; i < count; i++) {
            add(String.format("key%05d:123456|c\n", i));
        }

        List<String> left = drained();
        assertThat(queue.dropped()).isPositive().isEqualTo(count - left.size());
        assertThat(left.get(left.size() - 1)).isEqualTo("key19999:123456|c\n");
        for (int i = 0; i < left.size(); i++) {
            assertThat(left.get(i)).isEqualTo(String.format("key%05d:123456|c\n", count - left.size() + i));
        }
        assertThat(left.size() * 18).isBetween(BYTES_MAX - 2 * QueueRoom.CHUNK_BYTES, BYTES_MAX);
    }

    @Test
    void a_partly_sent_message_is_never_dropped() {
        add("first:1|c\n");
        handOn(4);
        for (int i = 0; i < 20_000; i++) {
            add(String.format("key%05d:123456|c\n", i));
        }

        assertThat(queue.dropped()).isPositive();
        assertThat(handOn(6)).isEqualTo("t:1|c\n");
        queue.rewind();
        assertThat(drained()).allMatch(message -> message.matches("key\\d{5}:123456\\|c\n"));
    }

    @Test
    void a_message_longer_than_a_chunk_is_accepted() {
        String lengthy = "a".repeat(2 * QueueRoom.CHUNK_BYTES) + ":1|c\n";
        add("x:1|c\n");
        add(lengthy);
        add("y:1|c\n");

        assertThat(drained()).containsExactly("x:1|c\n", lengthy, "y:1|c\n");
    }

    static IntStream seeds() {
        return IntStream.range(0, 200);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void every_message_comes_out_complete_once_and_in_order_after_random_breaks(int seed) {
        Random random = new Random(seed);
        int in = 0;
        int out = 0;
        String cut = "";
        for (int step = 0; step < 300; step++) {
            switch (random.nextInt(3)) {
                case 0 -> add("k" + in++ + ":" + "1".repeat(1 + random.nextInt(2000)) + "|c\n");
                case 1 -> {
                    String read = cut + handOn(random.nextInt(10_000));
                    int whole = read.lastIndexOf('\n') + 1;
                    for (String message : read.substring(0, whole).lines().toList()) {
                        assertThat(message).matches("k" + out++ + ":1+\\|c");
                    }
                    cut = read.substring(whole);
                }
                default -> {
                    queue.rewind();
                    cut = "";
                }
            }
        }
        queue.rewind();
        for (String message : drained()) {
            assertThat(message).matches("k" + out++ + ":1+\\|c\n");
        }
        assertThat(out + queue.dropped()).isEqualTo(in);
        assertThat(queue.bytes()).isZero();
    }
}
