package io.counters.collector.intake;

import io.counters.collector.self.AddressKey;
import io.counters.collector.self.JoinedLines;
import io.counters.wire.CommandReader;
import io.counters.wire.ForeignProtocol;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

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

    /** Reads the rest of a line that is too long, until its line break comes; null where there is none. */
    private @Nullable JoinedLines skipped;

    private long skippedBytes;
    private long skippedSaidNanos;

    /** @param lines of the thread that reads it */
    TcpConnection(SocketChannel channel, Lines lines, long nowNanos) throws IOException {
        this.channel = channel;
        this.lines = lines;
        sender = (InetSocketAddress) channel.getRemoteAddress();
        source = new Source("TCP", true, () -> AddressKey.text(sender));
        source.addressKey = AddressKey.of(sender);
        source.port = sender.getPort();
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
     * @return false at the end of the stream, or when its sender speaks another protocol. The connection is to be closed
     *     then, and {@link #end} to be called
     */
    @SuppressWarnings("ByteBufferBackingArray") // It is all of its array.
    boolean read(ByteBuffer buffer, long nowNanos) throws IOException {
        buffer.put(half, 0, halfLength);
        int count = channel.read(buffer);
        if (count > 0) {
            heardNanos = nowNanos;
            take(buffer.array(), buffer.position());
        }
        return count >= 0 && !source.isForeign;
    }

    private void take(byte[] bytes, int end) {
        // It is in the buffer. Whatever fails, it is not to be told as cut off.
        halfLength = 0;
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
        if (skipped != null) {
            while (begin < end && bytes[begin] != '\n') {
                begin++;
            }
            passOver(skipped, bytes, 0, begin);
            if (begin == end) {
                return;
            }
            begin++;
            endSkipped(skipped);
        }
        lines.lines(source, bytes, begin, whole);
        if (end - whole > CommandReader.LINE_BYTES_MAX + 1) {
            lines.tooLong(source, bytes, whole, end);
            skipped = new JoinedLines();
            skipped.read(bytes, whole, end);
            skipped.takeCounts(); // They were counted just now, with the line.
            skippedBytes = (long) end - whole;
            skippedSaidNanos = heardNanos;
            return;
        }
        halfLength = end - whole;
        if (halfLength > half.length) {
            half = new byte[CommandReader.LINE_BYTES_MAX + 1];
        }
        System.arraycopy(bytes, whole, half, 0, halfLength);
    }

    private void passOver(JoinedLines held, byte[] bytes, int begin, int end) {
        lines.passOver(held, bytes, begin, end);
        skippedBytes += (long) end - begin;
        if (heardNanos - skippedSaidNanos >= SILENT_NANOS) {
            skippedSaidNanos = heardNanos;
            lines.passedOver(source, held, skippedBytes);
        }
    }

    private void endSkipped(JoinedLines held) {
        lines.passedOver(source, held, skippedBytes);
        skipped = null;
    }

    /** Refuses what it has sent behind its last line break, as no more will come. Idempotent. */
    void end() {
        if (halfLength > 0) {
            lines.cut(source, half, 0, halfLength);
            halfLength = 0;
        }
        if (skipped != null) {
            endSkipped(skipped);
        }
    }

    /** Whether it has been silent for {@value #SILENT_SECONDS} s, so that another one may have its place. */
    boolean isSilent(long nowNanos) {
        return nowNanos - heardNanos > SILENT_NANOS;
    }

    /** Whether it has stopped in the middle of a line. */
    boolean isStalled(long nowNanos) {
        return (halfLength > 0 || skipped != null) && isSilent(nowNanos);
    }

    /** The address and port of its sender. */
    @Override
    public String toString() {
        return AddressKey.text(sender);
    }
}
