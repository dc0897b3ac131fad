package io.counters.collector.intake;

import io.counters.collector.access.Certificate;
import io.counters.collector.access.TlsChannel;
import io.counters.collector.common.AddressKey;
import io.counters.collector.common.JoinedLines;
import io.counters.wire.CommandReader;
import io.counters.wire.ForeignProtocol;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One TCP sender: splits the received bytes into lines, wherever the packets are split. Keeps an incomplete line between two
 * reads, and the time of the last read.
 */
final class TcpConnection {
    static final int SILENT_SECONDS = 60;

    private static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(SILENT_SECONDS);

    private final SocketChannel channel;
    private final ReadableByteChannel input;
    private final @Nullable TlsChannel tls;
    private final InetSocketAddress sender;
    private final Lines lines;
    private final Source source;
    private long heardNanos;

    /** When the incomplete line began, or TLS's handshake. */
    private long lineNanos;

    private boolean hasSentBytes;
    private byte[] half = {};
    private int halfLength;

    /** Reads the rest of a line that is too long, until its line break arrives; null if there is none. */
    private @Nullable JoinedLines skipped;

    private long skippedBytes;
    private long skippedSaidNanos;

    /**
     * @param certificate for TLS; empty without
     * @param lines of the thread that reads it
     */
    TcpConnection(SocketChannel channel, Optional<Certificate> certificate, Lines lines, long nowNanos)
            throws IOException {
        this.channel = channel;
        tls = certificate.map(own -> own.lines(channel)).orElse(null);
        input = tls == null ? channel : tls;
        this.lines = lines;
        sender = (InetSocketAddress) channel.getRemoteAddress();
        source = new Source("TCP", true, () -> AddressKey.text(sender));
        source.addressKey = AddressKey.of(sender);
        source.port = sender.getPort();
        heardNanos = nowNanos;
        lineNanos = nowNanos;
    }

    SocketChannel channel() {
        return channel;
    }

    long addressKey() {
        return source.addressKey;
    }

    /**
     * Reads what has arrived, at most one buffer.
     *
     * @param buffer empty, with its own array, and longer than two lines may be; not needed between calls
     * @return false at the end of the stream, or if the sender uses another protocol. Then close the connection and call
     *     {@link #end}
     */
    @SuppressWarnings("ByteBufferBackingArray") // The buffer uses its whole array.
    boolean read(ByteBuffer buffer, long nowNanos) throws IOException {
        buffer.put(half, 0, halfLength);
        int count = input.read(buffer);
        if (count > 0) {
            heardNanos = nowNanos;
            lineNanos = halfLength == 0 ? nowNanos : lineNanos;
            take(buffer.array(), buffer.position());
        }
        return count >= 0 && !source.isForeign;
    }

    private void take(byte[] bytes, int end) {
        // The incomplete line is in the buffer now. If an error occurs, it must not be rejected as cut off.
        halfLength = 0;
        if (!hasSentBytes && end > 1) {
            hasSentBytes = true;
            if (ForeignProtocol.isTls(bytes, 0, end)) {
                lines.tls(source, bytes, 0, end);
                return;
            }
        }
        int complete = end;
        while (complete > 0 && bytes[complete - 1] != '\n') {
            complete--;
        }
        lineNanos = complete > 0 ? heardNanos : lineNanos;
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
        lines.lines(source, bytes, begin, complete);
        if (end - complete > CommandReader.LINE_BYTES_MAX + 1) {
            lines.tooLong(source, bytes, complete, end);
            skipped = new JoinedLines();
            skipped.read(bytes, complete, end);
            skipped.takeCounts(); // The line's rejection has counted them.
            skippedBytes = (long) end - complete;
            skippedSaidNanos = heardNanos;
            return;
        }
        halfLength = end - complete;
        if (halfLength > half.length) {
            half = new byte[CommandReader.LINE_BYTES_MAX + 1];
        }
        System.arraycopy(bytes, complete, half, 0, halfLength);
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

    /** Rejects what it has sent after its last line break, because no more will arrive. Idempotent. */
    void end() {
        if (halfLength > 0) {
            lines.cut(source, half, 0, halfLength);
            halfLength = 0;
        }
        if (skipped != null) {
            endSkipped(skipped);
        }
    }

    /** Whether it has been silent for more than {@value #SILENT_SECONDS} s, so that a new connection may replace it. */
    boolean isSilent(long nowNanos) {
        return nowNanos - heardNanos > SILENT_NANOS;
    }

    /**
     * Whether it has stopped in the middle of a line, or a line or TLS's handshake that it began is not complete after {@value
     * #SILENT_SECONDS} s, however slowly it goes on. A line that is too long, of which nothing is kept, may go on.
     */
    boolean isStalled(long nowNanos) {
        boolean isHalf = halfLength > 0 || (tls != null && !tls.isOpenToLines());
        return isHalf ? nowNanos - lineNanos > SILENT_NANOS : skipped != null && isSilent(nowNanos);
    }

    /** Whether it has sent nothing for this time. */
    boolean isIdle(long nowNanos, long idleNanos) {
        return nowNanos - heardNanos > idleNanos;
    }

    /** The address and port of its sender. */
    @Override
    public String toString() {
        return AddressKey.text(sender);
    }
}
