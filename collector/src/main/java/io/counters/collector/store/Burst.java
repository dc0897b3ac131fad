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
import net.spy.memcached.ops.OperationCallback;
import net.spy.memcached.ops.OperationState;
import net.spy.memcached.ops.OperationStatus;
import net.spy.memcached.protocol.BaseOperationImpl;

/**
 * All requests of a batch as one operation of spymemcached, which costs per operation what memcached takes for ten
 * requests. It has the place of one in spymemcached's queues: it goes out and is answered in order, and where the
 * connection breaks it is cancelled, and with it what was not answered yet.
 *
 * <p>A read of a key that is missing and an add that is done are not answered: whatever comes after them in order says so,
 * at the latest the answer to the last request of all, which does nothing. Each request and answer is, as memcached's
 * binary protocol has it,
 *
 * <pre>
 *   +------+------+-----------+--------+------+-----------+-------------+-------------+--------- ... -+
 *   | 0x80 | what | key       | extras | 0    | 0         | length of   | place in    | 0             |
 *   | 0x81 |      | length    | length |      | or status | all below   | the batch   |               |
 *   +------+------+-----------+--------+------+-----------+-------------+-------------+--------- ... -+
 *     1      1      2           1        1      2           4             4             8 bytes
 *   | extras: a READ none, an answer to it 4; an ADD 8 of 0; an INCREMENT delta, 0, and not to be made where missing  |
 *   | key | value: as text, but for an INCREMENT's answer, which is a 64-bit number                                  |
 * </pre>
 */
final class Burst extends BaseOperationImpl {
    private static final byte REQUEST = (byte) 0x80;
    private static final byte ANSWER = (byte) 0x81;
    private static final byte INCREMENT = 0x05;
    private static final byte GET_QUIETLY = 0x09;
    private static final byte NOTHING = 0x0a;
    private static final byte ADD_QUIETLY = 0x12;
    private static final int HEADER_BYTES = 24;
    private static final int INCREMENT_BYTES = 20;
    private static final int ADD_BYTES = 8;
    private static final int NOT_TO_BE_MADE = 0xffffffff;

    /** The most bytes of a request beside its key. */
    static final int REQUEST_BYTES_MAX = HEADER_BYTES + Math.max(INCREMENT_BYTES, ADD_BYTES + 20);

    private static final int OK = 0;
    private static final int NOT_FOUND = 1;
    private static final int EXISTS = 2;
    private static final int NOT_STORED = 5;
    private static final int NO_NUMBER = 6;
    private static final int NO_MEMORY = 0x82;

    private final Pipeline.Batch batch;
    private final byte[] header = new byte[HEADER_BYTES];
    private byte[] body = new byte[64];
    private int read;
    private int answered;

    Burst(Pipeline.Batch batch) {
        this.batch = batch;
        setCallback(new OperationCallback() {
            @Override
            public void receivedStatus(OperationStatus status) {
                // Only of what ends it before its time: cancelled, or not sent in time.
                batch.answerRest(new Unknown(status.getMessage()));
            }

            @Override
            public void complete() {
                batch.answerRest(new Unknown("no answer"));
            }
        });
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

    /** All but the value; the extras are 0. */
    private static void put(ByteBuffer out, byte what, int extras, int place, byte[] key, int valueLength) {
        out.put(REQUEST).put(what).putShort((short) key.length);
        out.put((byte) extras).put((byte) 0).putShort((short) 0);
        out.putInt(extras + key.length + valueLength).putInt(place).putLong(0);
        out.position(out.position() + extras);
        out.put(key);
    }

    @Override
    public void readFromBuffer(ByteBuffer in) throws IOException {
        while (in.hasRemaining() && answered <= batch.size()) {
            if (read < HEADER_BYTES) {
                take(in, header, 0, HEADER_BYTES);
            }
            int length = read < HEADER_BYTES ? 0 : ByteBuffer.wrap(header).getInt(8);
            if (read >= HEADER_BYTES && length > 0) {
                if (length > body.length) {
                    body = new byte[length];
                }
                take(in, body, HEADER_BYTES, length);
            }
            if (read >= HEADER_BYTES && read == HEADER_BYTES + length) {
                read = 0;
                answered(length);
            }
        }
        if (answered > batch.size()) {
            transitionState(OperationState.COMPLETE);
        }
    }

    /** Copies what is there of a part that begins at this place of an answer. */
    private void take(ByteBuffer in, byte[] part, int begin, int length) {
        int count = Math.min(in.remaining(), begin + length - read);
        in.get(part, read - begin, count);
        read += count;
    }

    private void answered(int length) throws IOException {
        ByteBuffer answer = ByteBuffer.wrap(header);
        int place = answer.getInt(12);
        if (answer.get(0) != ANSWER || place < answered || place > batch.size()) {
            throw new IOException("memcached's answer can't be read; the connection is given up");
        }
        for (; answered < place; answered++) {
            batch.answer(answered, silence(batch.request(answered)));
        }
        if (place < batch.size()) {
            batch.answer(place, reply(batch.request(place), answer.getShort(6), answer.get(4), length));
        }
        answered++;
    }

    private static Reply silence(Push request) throws IOException {
        return switch (request.kind()) {
            case READ -> new Missing();
            case ADD -> new Holds(request.number());
            case INCREMENT -> throw new IOException("memcached left out an answer; the connection is given up");
        };
    }

    private Reply reply(Push request, int status, int extras, int length) {
        return switch (status) {
            case OK ->
                switch (request.kind()) {
                    case ADD -> new Holds(request.number());
                    case INCREMENT -> new Holds(ByteBuffer.wrap(body).getLong(extras));
                    case READ -> value(new String(body, extras, length - extras, ISO_8859_1));
                };
            case NOT_FOUND -> new Missing();
            case EXISTS -> new Exists();
            // Binary add answers "exists" for a key that is there; some versions say "not stored".
            case NOT_STORED -> request.kind() == Kind.ADD ? new Exists() : new Missing();
            case NO_NUMBER -> new Refused(Store.NO_NUMBER);
            case NO_MEMORY -> new Refused("its memory is full and it may not evict; give it more with -m");
            default -> new Unknown("status " + status + ", " + new String(body, extras, length - extras, ISO_8859_1));
        };
    }

    private static Reply value(String text) {
        try {
            // A value that got shorter comes back padded with spaces.
            return new Holds(Long.parseUnsignedLong(text.trim()));
        } catch (NumberFormatException noCounter) {
            return new Refused(Store.NO_NUMBER);
        }
    }

    @Override
    public byte[] getErrorMsg() {
        return new byte[0];
    }
}
