package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * All requests of a batch as one operation of spymemcached, whose cost per operation equals memcached's cost of ten
 * requests. In spymemcached's queues it is one operation: it is sent and answered in order. If the connection breaks,
 * it is cancelled, together with all requests that were not answered.
 *
 * <p>A read of a missing key and a successful add are not answered: the next answer in order implies them, at the
 * latest the answer to the final request, which does nothing. The field opaque is a request's place in the batch. A
 * READ has no extras, and its answer has 4 bytes of them; an ADD has 8 bytes of 0; an INCREMENT has the delta, 0, and
 * 0xffffffff, which means that a missing key is not created. Values are text, except in the answer to an INCREMENT,
 * which is a 64-bit number.
 */
final class MemcachedBatch extends BinaryOperation {
    private static final byte INCREMENT = 0x05;
    private static final byte GET_QUIETLY = 0x09;
    private static final byte NOTHING = 0x0a;
    private static final byte ADD_QUIETLY = 0x12;
    private static final int INCREMENT_BYTES = 20;
    private static final int ADD_BYTES = 8;
    private static final int NOT_TO_BE_MADE = 0xffffffff;

    /** The most bytes of a request without its key. */
    static final int REQUEST_BYTES_MAX = HEADER_BYTES + Math.max(INCREMENT_BYTES, ADD_BYTES + 20);

    private static final int OK = 0;
    private static final int NOT_FOUND = 1;
    private static final int EXISTS = 2;
    private static final int NOT_STORED = 5;
    private static final int NO_NUMBER = 6;
    private static final int NO_LOGIN = 0x20;
    private static final int NO_MEMORY = 0x82;

    private final Pipeline.Batch batch;
    private int answered;

    MemcachedBatch(Pipeline.Batch batch) {
        super(batch.server());
        this.batch = batch;
    }

    @Override
    void unanswered(String why) {
        batch.answerRest(new Unknown(server() + " " + why));
    }

    @Override
    public void initialize() {
        byte[][] keys = new byte[batch.size()][];
        int length = HEADER_BYTES;
        for (int i = 0; i < keys.length; i++) {
            keys[i] = batch.request(i).key().getBytes(ISO_8859_1);
            length += REQUEST_BYTES_MAX + keys[i].length;
        }
        ByteBuffer out = ByteBuffer.allocate(length);
        for (int i = 0; i < keys.length; i++) {
            Push request = batch.request(i);
            switch (request.kind()) {
                case READ -> put(out, GET_QUIETLY, 0, i, keys[i], 0);
                case ADD -> {
                    byte[] value = Long.toUnsignedString(request.number()).getBytes(ISO_8859_1);
                    put(out, ADD_QUIETLY, ADD_BYTES, i, keys[i], value.length);
                    out.put(value);
                }
                case INCREMENT -> {
                    put(out, INCREMENT, INCREMENT_BYTES, i, keys[i], 0);
                    int extras = out.position() - keys[i].length - INCREMENT_BYTES;
                    out.putLong(extras, request.number()).putInt(extras + 2 * Long.BYTES, NOT_TO_BE_MADE);
                }
            }
        }
        put(out, NOTHING, 0, keys.length, new byte[0], 0);
        setBuffer(out.flip());
    }

    @Override
    boolean answered(ByteBuffer header, ByteBuffer body) throws IOException {
        int place = header.getInt(12);
        if (place < answered || place > batch.size()) {
            throw new IOException("sent an answer to no request; the connection is closed");
        }
        for (; answered < place; answered++) {
            batch.answer(answered, silence(batch.request(answered)));
        }
        if (place < batch.size()) {
            int extras = Math.min(body.limit(), header.get(4) & 0xff);
            batch.answer(place, reply(batch.request(place), header.getShort(6), body.position(extras)));
        }
        answered++;
        return answered > batch.size();
    }

    private static Reply silence(Push request) throws IOException {
        return switch (request.kind()) {
            case READ -> new Missing();
            case ADD -> new Holds(request.number());
            case INCREMENT -> throw new IOException("skipped an answer; the connection is closed");
        };
    }

    private static Reply reply(Push request, int status, ByteBuffer value) throws IOException {
        return switch (status) {
            case OK ->
                switch (request.kind()) {
                    case ADD -> new Holds(request.number());
                    case INCREMENT -> new Holds(number(value));
                    case READ -> value(text(value));
                };
            case NOT_FOUND -> new Missing();
            case EXISTS -> new Exists();
            // The binary add answers "exists" for an existing key; some versions answer "not stored".
            case NOT_STORED -> request.kind() == Kind.ADD ? new Exists() : new Missing();
            case NO_NUMBER -> new Refused(Store.NO_NUMBER);
            case NO_LOGIN -> new Unknown("it rejects the login; set store_user and store_password");
            case NO_MEMORY -> new Refused("its memory is full and it may not evict; raise its -m");
            default -> new Unknown("status " + status + ", " + text(value));
        };
    }

    private static long number(ByteBuffer value) throws IOException {
        if (value.remaining() < Long.BYTES) {
            throw new IOException("sent an answer without a number; the connection is closed");
        }
        return value.getLong();
    }

    private static String text(ByteBuffer value) {
        return ISO_8859_1.decode(value).toString();
    }

    private static Reply value(String text) {
        try {
            // A value that got shorter is padded with spaces.
            return new Holds(Long.parseUnsignedLong(text.trim()));
        } catch (NumberFormatException noCounter) {
            return new Refused(Store.NO_NUMBER);
        }
    }
}
