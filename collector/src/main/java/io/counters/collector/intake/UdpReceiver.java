package io.counters.collector.intake;

import io.counters.collector.self.FaultLog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.concurrent.atomic.LongAdder;

/**
 * One thread that waits in the kernel for the next datagram, and merges it: nothing stands between the socket and the
 * ledger. The package has the figures that chose it.
 */
final class UdpReceiver implements Runnable {
    private static final int DATAGRAM_BYTES_MAX = 65_536;

    /** What had arrived when the end was called is taken still; what goes on arriving is not waited out. */
    private static final int LAST_DATAGRAMS_MAX = 1_000_000;

    private final DatagramChannel channel;
    private final Receive receive;
    private final Lines lines;
    private final LongAdder datagrams;
    private final FaultLog faults;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(DATAGRAM_BYTES_MAX);
    private final byte[] bytes = new byte[DATAGRAM_BYTES_MAX];
    private volatile boolean closing;

    /** @param channel bound, in blocking mode; closed by {@link #run} */
    UdpReceiver(DatagramChannel channel, Lines lines, LongAdder datagrams, FaultLog faults) {
        this.channel = channel;
        this.receive = new Receive(channel);
        this.lines = lines;
        this.datagrams = datagrams;
        this.faults = faults;
    }

    @Override
    public void run() {
        try (channel) {
            while (!closing) {
                take();
            }
            channel.configureBlocking(false);
            for (int left = LAST_DATAGRAMS_MAX; left > 0 && take(); left--) {
                // On to the last one.
            }
        } catch (IOException failure) {
            faults.warn("intake", "the UDP socket failed, no more datagrams are taken: " + failure);
        }
    }

    /** Returns false when there is none, in non-blocking mode. */
    private boolean take() throws IOException {
        int length = receive.into(buffer.clear());
        if (length < 0) {
            return false;
        }
        buffer.get(0, bytes, 0, length);
        lines.datagram(bytes, 0, length);
        datagrams.increment();
        return true;
    }

    /** Ends {@link #run} once what has arrived was taken, by a last datagram, an empty one. From any thread. */
    void close() {
        closing = true;
        try (DatagramChannel last = DatagramChannel.open()) {
            InetSocketAddress here = (InetSocketAddress) channel.getLocalAddress();
            InetAddress host =
                    here.getAddress().isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : here.getAddress();
            last.send(ByteBuffer.allocate(0), new InetSocketAddress(host, here.getPort()));
        } catch (IOException closedAlready) {
            // Then nobody waits for it.
        }
    }
}
