package io.counters.emit;

import io.counters.wire.DatagramWriter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/**
 * A connected, non-blocking UDP socket. Connected, so that the kernel tells of a collector that is not there. Opened,
 * used and closed by the sweep's thread only: a thread that is interrupted inside a channel closes it for everyone.
 */
public final class UdpTransport implements Transport, AutoCloseable {
    /** What a kernel that takes less than UDP can carry takes: macOS, unless told otherwise. */
    private static final int LESS_BYTES = 9216;

    private final InetSocketAddress collector;
    private final int datagramBytesMost;
    private final ByteBuffer buffer;
    private DatagramChannel channel;
    private boolean broken;
    private int datagramBytes;
    private String lastFault = "";
    private long faults;
    private long refusals;

    /**
     * A socket to one collector.
     *
     * @param datagramBytes the most bytes of a datagram there, 512 to 65,507, unless the kernel takes less
     * @throws IOException where there is no way to that address, or no socket to be had
     */
    public UdpTransport(InetSocketAddress collector, int datagramBytes) throws IOException {
        this.collector = collector;
        this.datagramBytesMost = datagramBytes;
        this.datagramBytes = datagramBytes;
        buffer = ByteBuffer.allocateDirect(datagramBytes);
        channel = open(collector);
    }

    private static DatagramChannel open(InetSocketAddress collector) throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        try {
            channel.configureBlocking(false);
            channel.connect(collector);
            return channel;
        } catch (IOException | RuntimeException cannot) {
            channel.close();
            throw cannot;
        }
    }

    /**
     * Takes another socket to the same collector if this one has failed, which may be for good: one whose own address
     * this machine has lost, as it changed networks, sends nothing more, and on Java 8 an interrupt closes it.
     */
    void mend() {
        if (broken) {
            try {
                DatagramChannel fresh = open(collector);
                close();
                channel = fresh;
                datagramBytes = datagramBytesMost;
                broken = false;
            } catch (IOException | RuntimeException cannot) {
                lastFault = String.valueOf(cannot.getMessage());
            }
        }
    }

    @Override
    public int datagramBytes() {
        return datagramBytes;
    }

    @Override
    public boolean send(byte[] bytes, int length) {
        buffer.clear();
        buffer.put(bytes, 0, length).flip();
        try {
            write();
        } catch (PortUnreachableException formerly) {
            // This is news of an earlier datagram, and this one was not sent: the collector may be back.
            refused();
            try {
                write();
            } catch (PortUnreachableException stillNot) {
                refused();
            } catch (IOException cannot) {
                lastFault = String.valueOf(cannot.getMessage());
                broken = true;
            }
        } catch (IOException cannot) {
            // Too long, most likely; each kernel says it in words of its own.
            if (length > DatagramWriter.BYTES_DEFAULT) {
                datagramBytes = length > LESS_BYTES ? LESS_BYTES : DatagramWriter.BYTES_DEFAULT;
                return false;
            }
            fault(String.valueOf(cannot.getMessage()));
            broken = true;
        }
        return true;
    }

    private void write() throws IOException {
        buffer.rewind();
        if (channel.write(buffer) == 0) {
            fault("the socket's buffer is full");
        }
    }

    /** Asks the kernel whether it has heard meanwhile that nobody listens there, and throws away what came as an answer. */
    public void listen() {
        try {
            buffer.clear();
            channel.read(buffer);
        } catch (PortUnreachableException nobody) {
            refused();
        } catch (IOException cannot) {
            lastFault = String.valueOf(cannot.getMessage());
        }
    }

    /** How often the kernel reported that nobody listens there; part of {@link #faults}. */
    public long refusals() {
        return refusals;
    }

    private void refused() {
        refusals++;
        fault("nobody listens there");
    }

    /** How many datagrams the kernel refused, or reported as undeliverable. */
    public long faults() {
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
