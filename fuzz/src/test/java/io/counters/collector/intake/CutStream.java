package io.counters.collector.intake;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.Set;
import java.util.function.IntSupplier;

/** A connection that has received everything, and whose reads return as many bytes as the test wants. */
final class CutStream extends SocketChannel {
    private final ByteBuffer received;
    private final IntSupplier cuts;

    CutStream(ByteBuffer received, IntSupplier cuts) {
        super(SelectorProvider.provider());
        this.received = received;
        this.cuts = cuts;
    }

    @Override
    public int read(ByteBuffer into) {
        if (!received.hasRemaining()) {
            return -1;
        }
        int count = Math.min(received.remaining(), Math.min(into.remaining(), cuts.getAsInt()));
        into.put(received.slice().limit(count));
        received.position(received.position() + count);
        return count;
    }

    @Override
    public SocketAddress getRemoteAddress() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 4711);
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer bytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] bytes, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public SocketChannel bind(SocketAddress local) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T> SocketChannel setOption(SocketOption<T> name, T value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T> T getOption(SocketOption<T> name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return Set.of();
    }

    @Override
    public SocketChannel shutdownInput() {
        return this;
    }

    @Override
    public SocketChannel shutdownOutput() {
        return this;
    }

    @Override
    public Socket socket() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public boolean isConnectionPending() {
        return false;
    }

    @Override
    public boolean connect(SocketAddress remote) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean finishConnect() {
        return true;
    }

    @Override
    public SocketAddress getLocalAddress() {
        return getRemoteAddress();
    }

    @Override
    protected void implCloseSelectableChannel() throws IOException {
        // Nothing is open.
    }

    @Override
    protected void implConfigureBlocking(boolean blocks) {
        // Never blocks.
    }
}
