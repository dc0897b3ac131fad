package io.counters.collector.intake;

import io.counters.wire.CommandReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** One TCP sender: cuts what comes into lines, whatever the cut of the packets. */
final class TcpConnection {
    private final SocketChannel channel;
    private final Lines lines;
    private final ByteBuffer buffer = ByteBuffer.allocate(32 * 1024);
    private boolean skipping;

    TcpConnection(SocketChannel channel, Lines lines) {
        this.channel = channel;
        this.lines = lines;
    }

    /**
     * Reads what is there, at most a buffer full.
     *
     * @return false at the end of the stream; a last line without a line break has been taken then
     */
    boolean read() throws IOException {
        int count = channel.read(buffer);
        if (count > 0) {
            take();
        } else if (count < 0 && buffer.position() > 0) {
            if (!skipping) {
                lines.last(buffer.array(), 0, buffer.position());
            }
        }
        return count >= 0;
    }

    private void take() {
        byte[] bytes = buffer.array();
        int end = buffer.position();
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
        buffer.flip().position(whole);
        buffer.compact();
    }
}
