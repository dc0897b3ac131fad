package io.counters.emit;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/**
 * A connected, non-blocking UDP socket. Connected, so that the kernel tells of a collector that is not there. Opened,
 * used and closed by the sweep's thread only: a thread that is interrupted inside a channel closes it for everyone.
 */
final class UdpTransport implements Transport, AutoCloseable {
    private final DatagramChannel channel;
    private String lastFault = "";
    private long faults;

    UdpTransport(InetSocketAddress collector) throws IOException {
        channel = DatagramChannel.open();
        try {
            channel.configureBlocking(false);
            channel.connect(collector);
        } catch (IOException | RuntimeException cannot) {
            channel.close();
            throw cannot;
        }
    }

    @Override
    public void send(byte[] bytes, int length) {
        try {
            write(bytes, length);
        } catch (PortUnreachableException formerly) {
            // This is news of an earlier datagram, and this one was not sent: the collector may be back.
            fault("nobody listens there");
            try {
                write(bytes, length);
            } catch (IOException cannot) {
                lastFault = reason(cannot);
            }
        } catch (IOException cannot) {
            fault(reason(cannot));
        }
    }

    private void write(byte[] bytes, int length) throws IOException {
        if (channel.write(ByteBuffer.wrap(bytes, 0, length)) == 0) {
            fault("the socket's buffer is full");
        }
    }

    private static String reason(IOException cannot) {
        return cannot instanceof PortUnreachableException
                ? "nobody listens there"
                : String.valueOf(cannot.getMessage());
    }

    /** How many datagrams the kernel refused, or reported as undeliverable. */
    long faults() {
        return faults;
    }

    /** What the kernel last said. */
    String lastFault() {
        return lastFault;
    }

    private void fault(String what) {
        faults++;
        lastFault = what;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException closedAllTheSame) {
            lastFault = String.valueOf(closedAllTheSame.getMessage());
        }
    }
}
