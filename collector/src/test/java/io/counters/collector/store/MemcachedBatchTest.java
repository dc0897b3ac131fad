package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Unknown;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import net.spy.memcached.ops.OperationState;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** memcached's binary protocol, byte by byte. */
class MemcachedBatchTest {
    private static final int NOT_FOUND = 1;
    private static final int EXISTS = 2;
    private static final int NO_NUMBER = 6;

    @BeforeAll
    static void quiet() {
        System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SLF4JLogger");
    }

    private static Pipeline.Batch batch(Push... requests) {
        return new Pipeline.Batch("a server", List.of(requests));
    }

    private static MemcachedBatch burst(Pipeline.Batch batch) {
        MemcachedBatch burst = new MemcachedBatch(batch);
        burst.initialize();
        return burst;
    }

    private static byte[] answer(int status, int place, int extras, byte[] body) {
        ByteBuffer answer = ByteBuffer.allocate(24 + body.length);
        answer.put((byte) 0x81).put((byte) 0).putShort((short) 0);
        answer.put((byte) extras).put((byte) 0).putShort((short) status);
        answer.putInt(body.length).putInt(place).putLong(77).put(body);
        return answer.array();
    }

    private static byte[] text(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private static final Push[] ALL = {
        new Push(0, "missing", Kind.READ, 0),
        new Push(1, "found", Kind.READ, 0),
        new Push(2, "added", Kind.ADD, 5),
        new Push(3, "there", Kind.ADD, 5),
        new Push(4, "moved", Kind.INCREMENT, -3),
        new Push(5, "text", Kind.INCREMENT, 1),
        new Push(6, "gone", Kind.INCREMENT, 1),
        new Push(7, "below", Kind.READ, 0),
        new Push(8, "too", Kind.ADD, 6),
    };

    private static List<byte[]> answersToAll() {
        return List.of(
                answer(0, 1, 4, text("\0\0\0\00012 ")),
                answer(EXISTS, 3, 0, text("Data exists for key.")),
                answer(0, 4, 0, ByteBuffer.allocate(8).putLong(-2).array()),
                answer(NO_NUMBER, 5, 0, text("Non-numeric server-side value for incr or decr")),
                answer(NOT_FOUND, 6, 0, text("Not found")),
                answer(0, 7, 4, text("\0\0\0\00018446744073709551615")),
                answer(0, ALL.length, 0, new byte[0]));
    }

    private static void assertAllAnswered(Pipeline.Batch batch) {
        assertThat(batch.answers())
                .containsExactly(
                        new Missing(),
                        new Holds(12),
                        new Holds(5),
                        new Exists(),
                        new Holds(-2),
                        new Refused(Store.NO_NUMBER),
                        new Missing(),
                        new Holds(-1),
                        new Holds(6));
    }

    @Test
    void requests_have_memcacheds_binary_format() {
        MemcachedBatch burst = burst(batch(
                new Push(0, "a", Kind.READ, 0), new Push(1, "bc", Kind.ADD, -1), new Push(2, "d", Kind.INCREMENT, -2)));

        byte[] written = new byte[burst.getBuffer().remaining()];
        burst.getBuffer().get(written);

        assertThat(HexFormat.of().formatHex(written))
                .isEqualTo("800900010000000000000001000000000000000000000000" + "61"
                        + "80120002080000000000001e000000010000000000000000" + "0000000000000000" + "6263"
                        + HexFormat.of().formatHex(text("18446744073709551615"))
                        + "800500011400000000000015000000020000000000000000" + "fffffffffffffffe" + "0000000000000000"
                        + "ffffffff" + "64"
                        + "800a00000000000000000000000000030000000000000000");
    }

    @Test
    void answers_are_read_in_pieces_of_any_length() throws IOException {
        byte[] all = concat(answersToAll());
        for (int piece = 1; piece <= all.length; piece++) {
            Pipeline.Batch batch = batch(ALL);
            MemcachedBatch burst = burst(batch);

            for (int at = 0; at < all.length; at += piece) {
                assertThat(burst.getState()).isNotEqualTo(OperationState.COMPLETE);
                burst.readFromBuffer(ByteBuffer.wrap(all, at, Math.min(piece, all.length - at)));
            }

            assertThat(burst.getState()).isEqualTo(OperationState.COMPLETE);
            assertAllAnswered(batch);
        }
    }

    @Test
    void bytes_after_the_last_answer_are_left_for_the_next_operation() throws IOException {
        Pipeline.Batch batch = batch(ALL);
        ByteBuffer in = ByteBuffer.wrap(concat(List.of(concat(answersToAll()), text("next"))));

        burst(batch).readFromBuffer(in);

        assertAllAnswered(batch);
        assertThat(in.remaining()).isEqualTo(4);
    }

    @Test
    void requests_without_an_answer_are_unknown_after_the_connection_breaks() throws IOException {
        Pipeline.Batch batch = batch(ALL);
        MemcachedBatch burst = burst(batch);
        burst.readFromBuffer(ByteBuffer.wrap(answersToAll().get(0)));

        burst.cancel();

        assertThat(batch.answers().subList(0, 2)).containsExactly(new Missing(), new Holds(12));
        assertThat(batch.answers().subList(2, ALL.length)).hasOnlyElementsOfType(Unknown.class);
    }

    @Test
    void bytes_that_are_not_an_answer_end_the_connection() {
        byte[] leftOut = answer(NOT_FOUND, 6, 0, text("Not found"));
        byte[] request = answer(0, 1, 4, text("\0\0\0\00012"));
        request[0] = (byte) 0x80;
        byte[] elsewhere = answer(0, ALL.length + 1, 0, new byte[0]);
        byte[] noNumber = concat(List.of(answer(NOT_FOUND, 4, 0, text("Not found")), answer(0, 5, 0, new byte[7])));
        byte[] huge = answer(0, 1, 4, new byte[0]);
        ByteBuffer.wrap(huge).putInt(8, 540_000_000);
        byte[] negative = answer(0, 1, 4, new byte[0]);
        ByteBuffer.wrap(negative).putInt(8, -1);
        byte[] http = text("HTTP/1.1 400 Bad Request\r\n");
        byte[] error = text("ERROR\r\n");
        for (byte[] wrong : List.of(leftOut, request, elsewhere, noNumber, huge, negative, http, error)) {
            Pipeline.Batch batch = batch(ALL);

            assertThatThrownBy(() -> burst(batch).readFromBuffer(ByteBuffer.wrap(wrong)))
                    .isInstanceOf(IOException.class);

            assertThat(batch.answers().get(ALL.length - 1)).isInstanceOf(Unknown.class);
        }
    }

    @Test
    void the_first_bytes_of_another_protocol_are_reported_on_one_line_without_escapes() {
        assertThat(said(text("HTTP/1.1 400 Bad Request\r\n")))
                .isEqualTo("a server answers with HTTP; is this the store's port?");
        assertThat(said(text("\33[31mERROR\r\n")))
                .isEqualTo("a server answers \"?[31mERROR??\"; is this the store's port?");
        assertThat(said(text("-"))).isEqualTo("a server answers \"-\"; is this the store's port?");
    }

    private static String said(byte[] wrong) {
        Pipeline.Batch batch = batch(ALL);
        assertThatThrownBy(() -> burst(batch).readFromBuffer(ByteBuffer.wrap(wrong)))
                .isInstanceOf(IOException.class);
        return ((Unknown) requireNonNull(batch.answers().get(0))).why();
    }

    @Test
    void a_body_that_is_longer_than_any_counter_is_skipped() throws IOException {
        Pipeline.Batch batch = batch(ALL);
        MemcachedBatch burst = burst(batch);
        byte[] announced = answer(0, 1, 4, new byte[0]);
        ByteBuffer.wrap(announced).putInt(8, BinaryOperation.BODY_BYTES_MAX);
        burst.readFromBuffer(ByteBuffer.wrap(announced));
        byte[] part = new byte[1 << 20];
        for (int i = 0; i < BinaryOperation.BODY_BYTES_MAX / part.length; i++) {
            burst.readFromBuffer(ByteBuffer.wrap(part));
        }

        burst.readFromBuffer(ByteBuffer.wrap(answer(EXISTS, 3, 0, text("Data exists for key."))));

        assertThat(batch.answers().subList(0, 4))
                .containsExactly(new Missing(), new Refused(Store.NO_NUMBER), new Holds(5), new Exists());
    }

    private static byte[] concat(List<byte[]> parts) {
        List<Byte> all = new ArrayList<>();
        for (byte[] part : parts) {
            for (byte one : part) {
                all.add(one);
            }
        }
        byte[] bytes = new byte[all.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = all.get(i);
        }
        return bytes;
    }
}
