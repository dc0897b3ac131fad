package io.counters.collector.intake;

import io.counters.wire.CommandReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** One TCP sender: cuts what comes into lines, whatever the cut of the packets. Between two reads it keeps a half line. */
final class TcpConnection {
    private final SocketChannel channel;
    private final Lines lines;
    private byte[] half = {};
    private int halfLength;
    private boolean skipping;

    TcpConnection(SocketChannel channel, Lines lines) {
        this.channel = channel;
        this.lines = lines;
    }

    /**
     * Reads what is there, at most a buffer full.
     *
     * @param buffer empty, all of its array, and longer than two lines may be; anybody's between two calls
     * @return false at the end of the stream; a last line without a line break has been taken then
     */
    @SuppressWarnings("ByteBufferBackingArray") // It is all of its array.
    boolean read(ByteBuffer buffer) throws IOException {
        buffer.put(half, 0, halfLength);
        int count = channel.read(buffer);
        if (count > 0) {
            take(buffer.array(), buffer.position());
        } else if (count < 0 && halfLength > 0) {
            lines.last(half, 0, halfLength);
        }
        return count >= 0;
    }

    private void take(byte[] bytes, int end) {
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
        lines.lines(bytes, begin, whole);
        if (skipping) {
            whole = end;
        } else if (end - whole > CommandReader.LINE_BYTES_MAX + 1) {
            lines.tooLong(bytes, whole, end);
            skipping = true;
            whole = end;
        }
        halfLength = end - whole;
        if (halfLength > half.length) {
            half = new byte[CommandReader.LINE_BYTES_MAX + 1];
        }
        System.arraycopy(bytes, whole, half, 0, halfLength);
    }
}
