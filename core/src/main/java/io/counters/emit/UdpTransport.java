package io.counters.emit;

import io.counters.wire.DatagramWriter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/**
 * A connected, non-blocking UDP socket. Connected, so that the kernel reports a collector that is not there. Opened,
 * used and closed only by the sweep's thread, because a thread that is interrupted inside a channel closes the channel
 * for all threads.
 */
public final class UdpTransport implements Transport, AutoCloseable {
    /** The maximum that some kernels accept, which is less than UDP allows: the default of macOS. */
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
     * @param datagramBytes the maximum bytes of a datagram, 512 to 65,507; less is used if the kernel rejects that size
     * @throws IOException if there is no route to that address, or if no socket can be opened
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
     * Opens another socket to the same collector if this one has failed, because it may never recover: a socket whose
     * local address the machine has lost by changing networks sends nothing more, and on Java 8 an interrupt closes the
     * socket.
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
            // The error is about an earlier datagram, and this one was not sent. The collector may be back, so try
            // again.
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
            // Most likely the datagram is too long; every kernel has its own message for that.
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

    /** Checks whether the kernel has reported that no program listens there; discards any datagram that arrived. */
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

    /** The number of times that the kernel reported that no program listens there; part of {@link #faults}. */
    public long refusals() {
        return refusals;
    }

    private void refused() {
        refusals++;
        fault("no program listens there");
    }

    /** The number of datagrams that the kernel refused or reported as undeliverable. */
    public long faults() {
        return faults;
    }

    /** The kernel's latest error message. */
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
