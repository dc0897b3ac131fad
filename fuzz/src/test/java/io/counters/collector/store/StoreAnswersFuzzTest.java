package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.StatefulRedisConnectionImpl;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.protocol.DefaultEndpoint;
import io.lettuce.core.resource.ClientResources;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What memcached and Redis, or whatever listens at their ports, answer: after a byte that says which, and two that say how the
 * answer is cut.
 */
@Tag("once")
@Tag("slow")
class StoreAnswersFuzzTest {
    private static final List<Push> REQUESTS = List.of(
            new Push(0, "missing", Kind.READ, 0),
            new Push(1, "found", Kind.READ, 0),
            new Push(2, "added", Kind.ADD, 5),
            new Push(3, "there", Kind.ADD, 5),
            new Push(4, "moved", Kind.INCREMENT, -3),
            new Push(5, "text", Kind.INCREMENT, 1),
            new Push(6, "gone", Kind.INCREMENT, 1));
    /** Little, so that an answer can exceed it. */
    private static final int REDIS_BYTES_MAX = 1000;

    private static final ClientOptions OPTIONS = RedisStore.options(ClientOptions.builder());
    private static @Nullable ClientResources resources;

    @BeforeAll
    static void prepare() {
        System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SLF4JLogger");
        System.setProperty("io.lettuce.core.epoll", "false");
        resources = ClientResources.builder()
                .ioThreadPoolSize(2)
                .computationThreadPoolSize(2)
                .build();
    }

    @AfterAll
    @SuppressWarnings("FutureReturnValueIgnored") // Its threads are daemons.
    static void end() {
        Objects.requireNonNull(resources).shutdown(0, 1, TimeUnit.SECONDS);
    }

    private static byte[] answer(int status, int place, int extras, byte[] body) {
        ByteBuffer answer = ByteBuffer.allocate(24 + body.length);
        answer.put((byte) 0x81).put((byte) 0).putShort((short) 0);
        answer.put((byte) extras).put((byte) 0).putShort((short) status);
        answer.putInt(body.length).putInt(place).putLong(77).put(body);
        return answer.array();
    }

    static Stream<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write("m\1\3".getBytes(ISO_8859_1));
        all.write(answer(0, 1, 4, "\0\0\0\00012 ".getBytes(ISO_8859_1)));
        all.write(answer(2, 3, 0, "Data exists for key.".getBytes(ISO_8859_1)));
        all.write(answer(0, 4, 0, ByteBuffer.allocate(8).putLong(-2).array()));
        all.write(answer(6, 5, 0, "Non-numeric server-side value for incr or decr".getBytes(ISO_8859_1)));
        all.write(answer(1, 6, 0, "Not found".getBytes(ISO_8859_1)));
        all.write(answer(0, REQUESTS.size(), 0, new byte[0]));
        seeds.add(all.toByteArray());
        ByteArrayOutputStream statistics = new ByteArrayOutputStream();
        statistics.write("s\1\3".getBytes(ISO_8859_1));
        byte[] evictions = answer(0, 0, 0, "evictions12".getBytes(ISO_8859_1));
        evictions[3] = 9;
        statistics.write(evictions);
        statistics.write(answer(0, 0, 0, new byte[0]));
        seeds.add(statistics.toByteArray());
        for (String text : List.of(
                "m\1\3HTTP/1.1 400 Bad Request\r\n",
                "r\1\3+OK\r\n-ERR no\r\n:-12\r\n$-1\r\n$0\r\n\r\n$12\r\n*9999\r\n$9999\r\n*-1\r\n*0\r\n",
                "r\1\3*2\r\n*2\r\n:1\r\n$1\r\nx\r\n%1\r\n+a\r\n*1\r\n_\r\n=5\r\ntxt:a\r\n#t\r\n,1.5e300\r\n",
                "r\1\3*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
                "r\1\3$2000000000\r\n*1000000000\r\n",
                "r\1\3$-1\r\n$2\r\n12\r\n+OK\r\n$-1\r\n$2\r\n-2\r\n-WRONGTYPE no\r\n$-1\r\n",
                "r\1\u00ff$-1\r\n$2\r\n12\r\n_\r\n+OK\r\n-NOSCRIPT\r\n$1\r\nx\r\n-OOM \r\n$2\r\n-2\r\n",
                "r\1\1-LOADING\r\n:5\r\n-ERR value is not an integer\r\n-READONLY x\r\n+1\r\n-NOSCRIPT\r\n-NOSCRIPT\r\n",
                "r\1\3$-1\r\n$1\n2\r\n",
                "r\1\3$-1\r\n$-4294957296\r\n$1x\r\n",
                "r\1\3+OK\r\n#true\r\n",
                "r\1\3+OK\n+OK\r\n",
                "r\1\3+" + "x".repeat(1010) + "\r\n")) {
            seeds.add(text.getBytes(ISO_8859_1));
        }
        return seeds.stream();
    }

    @MethodSource("seeds")
    @DictionaryEntries({"$-1", "*2", "2147483647"})
    @FuzzTest(maxDuration = "10s")
    void any_answer_is_understood_the_same_however_it_is_cut_or_ends_the_connection(byte[] bytes) {
        if (bytes.length < 3) {
            return;
        }
        byte[] answer = Arrays.copyOfRange(bytes, 3, bytes.length);
        Random cuts = new Random(bytes[1]);
        int longest = 1 + (bytes[2] & 0xff);
        IntSupplier parts = () -> 1 + cuts.nextInt(longest);
        switch (bytes[0]) {
            case 'm' -> {
                List<String> replies = PlainMemcached.replies(answer, REQUESTS);
                assertThat(memcached(answer, () -> answer.length)).isEqualTo(replies);
                assertThat(memcached(answer, parts)).isEqualTo(replies);
            }
            case 's' -> {
                String all = PlainMemcached.statistics(answer);
                assertThat(statistics(answer, () -> answer.length)).isEqualTo(all);
                assertThat(statistics(answer, parts)).isEqualTo(all);
            }
            case 'r' -> {
                PlainResp plain = new PlainResp(answer, REDIS_BYTES_MAX);
                boolean isStrange = plain.strangeAt() >= 0;
                int good = isStrange ? plain.strangeAt() : answer.length;
                assertThat(guard(answer, () -> answer.length)).hasSize(isStrange ? 0 : answer.length);
                assertThat(guard(answer, () -> 1)).hasSize(good);
                assertThat(guard(answer, parts)).hasSizeLessThanOrEqualTo(good);
                redis(answer, parts);
            }
            default -> {
                // No other store's answers are read by us.
            }
        }
    }

    /** Reads until the operation is over; returns what ended it, if that is an error. */
    private static @Nullable String read(BinaryOperation operation, byte[] answer, IntSupplier cuts) {
        try {
            for (int at = 0; at < answer.length && !isComplete(operation); ) {
                int length = Math.min(answer.length - at, Math.max(1, cuts.getAsInt()));
                ByteBuffer part = ByteBuffer.wrap(answer, at, length);
                operation.readFromBuffer(part);
                assertThat(part.hasRemaining() && !isComplete(operation)).isFalse();
                at += length;
            }
            return null;
        } catch (IOException stranger) {
            return "ended";
        }
    }

    private static boolean isComplete(BinaryOperation operation) {
        return operation.getState() == net.spy.memcached.ops.OperationState.COMPLETE;
    }

    private static List<String> memcached(byte[] answer, IntSupplier cuts) {
        Pipeline.Batch batch = new Pipeline.Batch("a server", REQUESTS);
        MemcachedBatch operation = new MemcachedBatch(batch);
        operation.initialize();
        String end = read(operation, answer, cuts);
        boolean isOver = end != null || isComplete(operation);
        List<String> replies =
                batch.answers().stream().map(StoreAnswersFuzzTest::said).toList();
        assertThat(isOver && replies.contains("none"))
                .as("each request is answered at the end")
                .isFalse();
        return replies;
    }

    /** A reply in the words of the plain readers. */
    private static String said(@Nullable Reply reply) {
        if (reply instanceof Holds holds) {
            return PlainMemcached.holds(holds.value());
        }
        return reply == null
                ? "none"
                : reply instanceof Unknown
                        ? PlainMemcached.UNKNOWN
                        : reply.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    private static String statistics(byte[] answer, IntSupplier cuts) {
        MemcachedRequest request = MemcachedRequest.statistics("a server");
        request.initialize();
        String end = read(request, answer, cuts);
        if (end != null) {
            assertThat(request.done()).isCompletedExceptionally();
            return end;
        }
        return request.done().isDone() ? String.valueOf(request.done().join()) : "not yet";
    }

    /** What passes the guard; it is what arrived, and the connection ends with the first part that does not pass. */
    private static byte[] guard(byte[] answer, IntSupplier cuts) {
        EmbeddedChannel channel = new EmbeddedChannel(new ReplyGuard(REDIS_BYTES_MAX, why -> {}));
        ByteArrayOutputStream passed = new ByteArrayOutputStream();
        for (int at = 0; at < answer.length && channel.isOpen(); ) {
            int length = Math.min(answer.length - at, cuts.getAsInt());
            channel.writeInbound(Unpooled.copiedBuffer(answer, at, length));
            for (ByteBuf next = channel.readInbound(); next != null; next = channel.readInbound()) {
                passed.writeBytes(ByteBufUtil.getBytes(next));
                next.release();
            }
            at += length;
        }
        byte[] through = passed.toByteArray();
        assertThat(through).isEqualTo(Arrays.copyOf(answer, through.length));
        assertThat(channel.isOpen()).isEqualTo(through.length == answer.length);
        channel.finishAndReleaseAll();
        return through;
    }

    /** Keeps a copy of what passes. */
    private static final class Recorder extends ChannelInboundHandlerAdapter {
        final ByteArrayOutputStream passed = new ByteArrayOutputStream();

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            passed.writeBytes(ByteBufUtil.getBytes((ByteBuf) message));
            context.fireChannelRead(message);
        }
    }

    /** The requests, sent by Lettuce, mean what the replies say that pass the guard, and all are answered at the end. */
    @SuppressWarnings("FutureReturnValueIgnored") // Closed within this thread, by the channel's tasks.
    private static void redis(byte[] answer, IntSupplier cuts) {
        DefaultEndpoint endpoint = new DefaultEndpoint(OPTIONS, Objects.requireNonNull(resources));
        StatefulRedisConnectionImpl<String, String> connection =
                new StatefulRedisConnectionImpl<>(endpoint, endpoint, StringCodec.ASCII, Duration.ofMinutes(1));
        connection.setOptions(OPTIONS);
        AtomicReference<@Nullable String> strange = new AtomicReference<>();
        Recorder recorder = new Recorder();
        EmbeddedChannel channel = new EmbeddedChannel(
                new ReplyGuard(REDIS_BYTES_MAX, strange::set),
                recorder,
                new CommandHandler(OPTIONS, Objects.requireNonNull(resources), endpoint));
        RedisRequests asking = new RedisRequests("Redis", strange::get);
        List<CompletableFuture<Reply>> replies = REQUESTS.stream()
                .map(request -> asking.ask(connection.async(), request))
                .toList();
        for (int at = 0; at < answer.length && channel.isOpen(); ) {
            int length = Math.min(answer.length - at, cuts.getAsInt());
            channel.pipeline().fireChannelRead(Unpooled.copiedBuffer(answer, at, length));
            channel.pipeline().fireChannelReadComplete();
            channel.runPendingTasks();
            at += length;
        }
        connection.closeAsync();
        channel.runPendingTasks();
        channel.close();
        channel.runPendingTasks();

        List<String> meaning = new PlainResp(recorder.passed.toByteArray(), REDIS_BYTES_MAX).meaning(REQUESTS);
        for (int i = 0; i < REQUESTS.size(); i++) {
            assertThat(replies.get(i)).as("%s", REQUESTS.get(i)).isCompleted();
            if (!meaning.get(i).equals(PlainResp.ANYTHING)) {
                assertThat(said(replies.get(i).join()))
                        .as("%s", REQUESTS.get(i))
                        .isEqualTo(meaning.get(i));
            }
        }
    }
}
