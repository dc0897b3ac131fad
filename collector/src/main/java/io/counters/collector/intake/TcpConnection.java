package io.counters.collector.intake;

import io.counters.collector.self.AddressKey;
import io.counters.wire.CommandReader;
import io.counters.wire.ForeignProtocol;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/**
 * One TCP sender: cuts what comes into lines, whatever the cut of the packets. Between two reads it keeps a half line. It
 * knows how long it has been silent.
 */
final class TcpConnection {
    static final int SILENT_SECONDS = 60;

    private static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(SILENT_SECONDS);

    private final SocketChannel channel;
    private final InetSocketAddress sender;
    private final Lines lines;
    private final Source source;
    private long heardNanos;
    private boolean hasSentBytes;
    private byte[] half = {};
    private int halfLength;
    private boolean skipping;

    /** @param lines of the thread that reads it */
    TcpConnection(SocketChannel channel, Lines lines, long nowNanos) throws IOException {
        this.channel = channel;
        this.lines = lines;
        sender = (InetSocketAddress) channel.getRemoteAddress();
        source = new Source("TCP", true, () -> sender);
        source.addressKey = AddressKey.of(sender);
        heardNanos = nowNanos;
    }

    SocketChannel channel() {
        return channel;
    }

    long addressKey() {
        return source.addressKey;
    }

    /**
     * Reads what is there, at most a buffer full.
     *
     * @param buffer empty, all of its array, and longer than two lines may be; anybody's between two calls
     * @return false at the end of the stream, when a last line without a line break has been taken; or when its sender
     *     speaks another protocol. The connection is to be closed then
     */
    @SuppressWarnings("ByteBufferBackingArray") // It is all of its array.
    boolean read(ByteBuffer buffer, long nowNanos) throws IOException {
        buffer.put(half, 0, halfLength);
        int count = channel.read(buffer);
        if (count > 0) {
            heardNanos = nowNanos;
            take(buffer.array(), buffer.position());
        } else if (count < 0 && halfLength > 0) {
            lines.last(source, half, 0, halfLength);
        }
        return count >= 0 && !source.isForeign;
    }

    private void take(byte[] bytes, int end) {
        if (!hasSentBytes && end > 1) {
            hasSentBytes = true;
            if (ForeignProtocol.isTls(bytes, 0, end)) {
                lines.tls(source, bytes, 0, end);
                return;
            }
        }
        int whole = end;
        while (whole > 0 && bytes[whole - 1] != '\n') {
            whole--;
        }
        int begin = 0;
        if (skipping && whole > 0) {
            while (bytes[begin++] != '\n') {
                // The rest of a line that was too long.
            }
            skipping = false;
        }
        lines.lines(source, bytes, begin, whole);
        if (skipping) {
            whole = end;
        } else if (end - whole > CommandReader.LINE_BYTES_MAX + 1) {
            lines.tooLong(source, bytes, whole, end);
            skipping = true;
            whole = end;
        }
        halfLength = end - whole;
        if (halfLength > half.length) {
            half = new byte[CommandReader.LINE_BYTES_MAX + 1];
        }
        System.arraycopy(bytes, whole, half, 0, halfLength);
    }

    /** Whether it has been silent for {@value #SILENT_SECONDS} s, so that another one may have its place. */
    boolean isSilent(long nowNanos) {
        return nowNanos - heardNanos > SILENT_NANOS;
    }

    /** Whether it has stopped in the middle of a line. */
    boolean isStalled(long nowNanos) {
        return (halfLength > 0 || skipping) && isSilent(nowNanos);
    }

    /** The address and port of its sender. */
    @Override
    public String toString() {
        return AddressKey.text(sender);
    }
}
