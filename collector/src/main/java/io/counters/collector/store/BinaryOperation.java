package io.counters.collector.store;

import io.counters.collector.common.FaultLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import net.spy.memcached.ops.OperationCallback;
import net.spy.memcached.ops.OperationState;
import net.spy.memcached.ops.OperationStatus;
import net.spy.memcached.protocol.BaseOperationImpl;

/**
 * An operation of spymemcached that reads memcached's binary protocol by itself. spymemcached's own operations trust
 * the length that an answer announces. If another program, such as an HTTP server, answers at memcached's port, this
 * may be half a gigabyte, which ends the client's only thread permanently.
 *
 * <p>Here the first byte must be right before anything else is read, and no memory is allocated for what an answer only
 * announces: of a body that is longer than {@value #KEPT_BYTES_MAX} bytes, which is never a counter, the beginning is
 * kept and the rest skipped. If something is not an answer, the connection is closed; spymemcached opens it again.
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

    /** The longest body that is accepted; memcached's items have at most 1 MiB unless configured otherwise. */
    static final int BODY_BYTES_MAX = 64 * 1024 * 1024;

    /** The most bytes of a body that are kept. */
    static final int KEPT_BYTES_MAX = 4096;

    private final String server;
    private final ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    private ByteBuffer body = ByteBuffer.allocate(64);
    private int read;
    private volatile boolean over;

    /** @param server as the log shows it */
    BinaryOperation(String server) {
        this.server = server;
        setCallback(new OperationCallback() {
            @Override
            public void receivedStatus(OperationStatus status) {
                // Called only if the operation ends early: it was cancelled, or not sent in time.
                over = true;
                unanswered("has no connection");
            }

            @Override
            public void complete() {
                over = true;
                unanswered("did not answer");
            }
        });
    }

    /** Whether the operation has ended. */
    final boolean isOver() {
        return over;
    }

    final String server() {
        return server;
    }

    /** Called when everything without an answer will get none. */
    abstract void unanswered(String why);

    /**
     * Processes an answer.
     *
     * @param body its beginning
     * @return whether it was the last one
     */
    abstract boolean answered(ByteBuffer header, ByteBuffer body) throws IOException;

    /** Writes a request without its value; the extras are 0. */
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
                throw new IOException("announces a body of " + Integer.toUnsignedLong(length) + " bytes, allowed are "
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

    /** Copies the part of a body that has arrived, as far as it is kept. */
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

    /** Describes a peer that does not use the protocol, by the first bytes that it sent. */
    static String strange(byte[] first, int length) {
        boolean isHttp = length >= 4 && Arrays.equals(first, 0, 4, HTTP, 0, 4);
        return (isHttp ? "answers with HTTP" : "answers \"" + FaultLog.shown(first, 0, length) + "\"")
                + "; is this the store's port?";
    }

    @Override
    public byte[] getErrorMsg() {
        return new byte[0];
    }
}
