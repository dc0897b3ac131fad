package io.counters.collector.intake;

import io.counters.collector.self.FaultLog;
import io.counters.collector.udp.UdpSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.LongAdder;

/**
 * One thread that waits in the kernel for the next datagram, and merges it: nothing stands between the socket and the
 * ledger. The room {@code udp} has the figures that chose it.
 */
final class UdpReceiver implements Runnable {
    /** What had arrived when the end was called is taken still; what goes on arriving is not waited out. */
    private static final int LAST_DATAGRAMS_MAX = 1_000_000;

    private final UdpSocket socket;
    private final Lines lines;
    private final LongAdder datagrams;
    private final FaultLog faults;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(UdpSocket.DATAGRAM_BYTES_MAX);
    private final byte[] bytes = new byte[UdpSocket.DATAGRAM_BYTES_MAX];
    private volatile boolean closing;

    /** @param socket in blocking mode; closed by {@link #run} */
    UdpReceiver(UdpSocket socket, Lines lines, LongAdder datagrams, FaultLog faults) {
        this.socket = socket;
        this.lines = lines;
        this.datagrams = datagrams;
        this.faults = faults;
    }

    @Override
    public void run() {
        try (socket) {
            while (!closing) {
                take();
            }
            socket.channel().configureBlocking(false);
            for (int left = LAST_DATAGRAMS_MAX; left > 0 && take(); left--) {
                // On to the last one.
            }
        } catch (IOException failure) {
            faults.warn("intake", "the UDP socket failed, no more datagrams are taken: " + failure);
        }
    }

    /** Returns false when there is none, in non-blocking mode. */
    private boolean take() throws IOException {
        int length = socket.receive(buffer.clear());
        if (length < 0) {
            return false;
        }
        buffer.get(0, bytes, 0, length);
        lines.datagram(bytes, 0, length);
        datagrams.increment();
        return true;
    }

    /** Ends {@link #run} once what has arrived was taken. From any thread. */
    void close() {
        closing = true;
        socket.wake();
    }
}
