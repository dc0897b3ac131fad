package io.counters.collector.store;

import io.counters.collector.self.FaultLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import net.spy.memcached.ops.OperationCallback;
import net.spy.memcached.ops.OperationState;
import net.spy.memcached.ops.OperationStatus;
import net.spy.memcached.protocol.BaseOperationImpl;

/**
 * An operation of spymemcached that reads memcached's binary protocol by itself: spymemcached's own ones believe the length
 * that an answer names, and a stranger behind memcached's port, such as an HTTP server, names half a gigabyte, which
 * ends the only thread of the client for good.
 *
 * <p>Here the first byte must be right before anything else is looked at, and no memory is taken for what an answer
 * only announces: of a body that is longer than {@value #KEPT_BYTES_MAX} bytes, which no counter is, the beginning is kept
 * and the rest read past. Where an answer can't be one, the connection is given up; spymemcached opens it again.
 *
 * <pre>
 *   +------+------+-----------+--------+------+-----------+-------------+-------------+--------- ... -+
 *   | 0x80 | what | key       | extras | 0    | 0         | length of   | opaque      | 0             |
 *   | 0x81 |      | length    | length |      | or status | all below   |             |               |
 *   +------+------+-----------+--------+------+-----------+-------------+-------------+--------- ... -+
 *     1      1      2           1        1      2           4             4             8 bytes
 *   | extras | key | value |
 * </pre>
 */
abstract class BinaryOperation extends BaseOperationImpl {
    static final int HEADER_BYTES = 24;
    private static final byte REQUEST = (byte) 0x80;
    private static final byte ANSWER = (byte) 0x81;
    private static final byte[] HTTP = {'H', 'T', 'T', 'P'};

    /** The longest body that is believed; memcached's items have 1 MiB unless its operator says otherwise. */
    static final int BODY_BYTES_MAX = 64 * 1024 * 1024;

    /** The most bytes that are kept of a body. */
    static final int KEPT_BYTES_MAX = 4096;

    private final String server;
    private final ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    private ByteBuffer body = ByteBuffer.allocate(64);
    private int read;
    private volatile boolean over;

    /** @param server as the log names it */
    BinaryOperation(String server) {
        this.server = server;
        setCallback(new OperationCallback() {
            @Override
            public void receivedStatus(OperationStatus status) {
                // Only of what ends it before its time: cancelled, or not sent in time.
                over = true;
                unanswered("has no connection");
            }

            @Override
            public void complete() {
                over = true;
                unanswered("gave no answer");
            }
        });
    }

    /** Whether nothing more comes of it. */
    final boolean isOver() {
        return over;
    }

    final String server() {
        return server;
    }

    /** Whatever has no answer yet gets none. */
    abstract void unanswered(String why);

    /**
     * Takes an answer.
     *
     * @param body its beginning
     * @return whether it was the last one
     */
    abstract boolean answered(ByteBuffer header, ByteBuffer body) throws IOException;

    /** Writes a request but for its value; the extras are 0. */
    static void put(ByteBuffer out, byte what, int extras, int opaque, byte[] key, int valueLength) {
        out.put(REQUEST).put(what).putShort((short) key.length);
        out.put((byte) extras).put((byte) 0).putShort((short) 0);
        out.putInt(extras + key.length + valueLength).putInt(opaque).putLong(0);
        out.position(out.position() + extras);
        out.put(key);
    }

    @Override
    public final void readFromBuffer(ByteBuffer in) throws IOException {
        try {
            read(in);
        } catch (IOException stranger) {
            unanswered(String.valueOf(stranger.getMessage()));
            throw stranger;
        }
    }

    private void read(ByteBuffer in) throws IOException {
        boolean last = false;
        while (in.hasRemaining() && !last) {
            if (read < HEADER_BYTES) {
                int count = Math.min(in.remaining(), HEADER_BYTES - read);
                in.get(header.array(), read, count);
                read += count;
                if (header.get(0) != ANSWER) {
                    throw new IOException(strange(header.array(), read));
                }
            }
            int length = read < HEADER_BYTES ? 0 : header.getInt(8);
            if (length < 0 || length > BODY_BYTES_MAX) {
                throw new IOException("names a body of " + Integer.toUnsignedLong(length) + " bytes, allowed are "
                        + BODY_BYTES_MAX + "; is this memcached's port?");
            }
            if (read >= HEADER_BYTES && length > 0) {
                takeBody(in, length);
            }
            if (read >= HEADER_BYTES && read == HEADER_BYTES + length) {
                read = 0;
                last = answered(header, body.position(0).limit(Math.min(length, KEPT_BYTES_MAX)));
            }
        }
        if (last) {
            transitionState(OperationState.COMPLETE);
        }
    }

    /** Copies what is there of a body, as far as it is kept. */
    private void takeBody(ByteBuffer in, int length) {
        int kept = Math.min(length, KEPT_BYTES_MAX);
        if (kept > body.capacity()) {
            body = ByteBuffer.allocate(kept);
        }
        int at = read - HEADER_BYTES;
        int count = Math.min(in.remaining(), length - at);
        int wanted = Math.max(0, Math.min(count, kept - at));
        in.get(body.array(), Math.min(at, kept), wanted);
        in.position(in.position() + count - wanted);
        read += count;
    }

    /** What somebody looks like who does not speak the protocol, by the first bytes that came. */
    static String strange(byte[] first, int length) {
        boolean isHttp = length >= 4 && Arrays.equals(first, 0, 4, HTTP, 0, 4);
        return (isHttp ? "answers as HTTP" : "answers \"" + FaultLog.shown(first, 0, length) + "\"")
                + "; is this the store's port?";
    }

    @Override
    public byte[] getErrorMsg() {
        return new byte[0];
    }
}
