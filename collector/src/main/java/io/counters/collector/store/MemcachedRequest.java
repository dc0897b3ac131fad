package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A request to memcached that is not about a counter: for a text, its statistics, or a login. */
final class MemcachedRequest extends BinaryOperation {
    private static final byte GET = 0x00;
    private static final byte SET = 0x01;
    private static final byte STATISTICS = 0x10;
    private static final byte LOGIN = 0x21;
    private static final int SET_BYTES = 8;
    private static final int ANSWERS_MAX = 1000;

    /** One answer. Statistics have several; the last one has no name. */
    record Answer(int status, String name, String text) {
        boolean isFound() {
            return status == 0;
        }

        boolean isMissing() {
            return status == 1;
        }
    }

    private final byte what;
    private final int extras;
    private final byte[] key;
    private final byte[] value;
    private final List<Answer> answers = new ArrayList<>();
    private final CompletableFuture<List<Answer>> done = new CompletableFuture<>();

    private MemcachedRequest(String server, byte what, int extras, String key, String value) {
        super(server);
        this.what = what;
        this.extras = extras;
        this.key = key.getBytes(ISO_8859_1);
        this.value = value.getBytes(UTF_8);
    }

    static MemcachedRequest get(String server, String key) {
        return new MemcachedRequest(server, GET, 0, key, "");
    }

    static MemcachedRequest set(String server, String key, String text) {
        return new MemcachedRequest(server, SET, SET_BYTES, key, text);
    }

    static MemcachedRequest statistics(String server) {
        return new MemcachedRequest(server, STATISTICS, 0, "", "");
    }

    /** A login by SASL PLAIN. */
    static MemcachedRequest login(String server, StoreLogin login) {
        return new MemcachedRequest(server, LOGIN, 0, "PLAIN", "\0" + login.user() + "\0" + login.password());
    }

    /** Completes with all answers; fails if there are none. */
    CompletableFuture<List<Answer>> done() {
        return done;
    }

    @Override
    public void initialize() {
        ByteBuffer out = ByteBuffer.allocate(HEADER_BYTES + extras + key.length + value.length);
        put(out, what, extras, 0, key, value.length);
        setBuffer(out.put(value).flip());
    }

    @Override
    boolean answered(ByteBuffer header, ByteBuffer body) throws IOException {
        byte[] text = new byte[body.remaining()];
        body.get(text);
        int nameAt = Math.min(text.length, header.get(4) & 0xff);
        int textAt = Math.min(text.length, nameAt + (header.getShort(2) & 0xffff));
        Answer answer = new Answer(
                header.getShort(6),
                new String(text, nameAt, textAt - nameAt, ISO_8859_1),
                new String(text, textAt, text.length - textAt, ISO_8859_1));
        answers.add(answer);
        if (answers.size() > ANSWERS_MAX) {
            throw new IOException(
                    "sent more than " + ANSWERS_MAX + " answers to one request; the connection is closed");
        }
        boolean isLast = what != STATISTICS || !answer.isFound() || answer.name.isEmpty();
        if (isLast) {
            done.complete(answers);
        }
        return isLast;
    }

    @Override
    void unanswered(String why) {
        done.completeExceptionally(new Pipeline.Unavailable(server() + " " + why));
    }
}
