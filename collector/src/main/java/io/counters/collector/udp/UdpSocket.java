package io.counters.collector.udp;

import io.counters.collector.common.AddressKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A UDP socket that receives datagrams. The JDK creates an address, about 150 bytes, for each datagram whose sender is not
 * that of the datagram before; nothing else is allocated. {@link #receive}, {@link #sender} and {@link #senderKey} are for
 * one thread, the others for any.
 */
public class UdpSocket implements Datagrams {
    /** The buffer size for the longest possible datagram. */
    public static final int DATAGRAM_BYTES_MAX = 65_536;

    /** What is asked of the kernel for datagrams that are not yet read. */
    public static final int RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;

    private static final List<Path> SOCKET_TABLES = List.of(Path.of("/proc/net/udp"), Path.of("/proc/net/udp6"));

    private final DatagramChannel channel;
    private final InetSocketAddress address;
    private final int receiveBufferBytes;

    /** The last datagram's sender. */
    private @Nullable InetSocketAddress sender;

    /**
     * Opens the socket in blocking mode.
     *
     * @param at the address to bind; port 0 uses any free one
     * @throws IOException if the port is in use or not allowed
     */
    public UdpSocket(InetSocketAddress at) throws IOException {
        channel = DatagramChannel.open();
        try {
            channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
            channel.bind(at);
            address = (InetSocketAddress) channel.getLocalAddress();
            receiveBufferBytes = channel.getOption(StandardSocketOptions.SO_RCVBUF);
        } catch (IOException | RuntimeException cannot) {
            channel.close();
            throw cannot;
        }
    }

    /** The bound address, with the actual port. */
    public InetSocketAddress address() {
        return address;
    }

    /** For waiting in a selector, in non-blocking mode; do not receive from it. */
    public DatagramChannel channel() {
        return channel;
    }

    /**
     * Reads the next datagram, after waiting for it if the channel blocks.
     *
     * @param empty direct, with room for a datagram, at position 0
     * @return the number of its bytes, which begin at 0; -1 if there is none and the channel does not block
     */
    @Override
    public int receive(ByteBuffer empty) throws IOException {
        InetSocketAddress from = (InetSocketAddress) channel.receive(empty);
        if (from == null) {
            return -1;
        }
        sender = from;
        return empty.position();
    }

    /**
     * The {@link AddressKey} of the last datagram's sender; {@link AddressKey#UNKNOWN} before the first. Allocates nothing.
     */
    @Override
    public long senderKey() {
        return AddressKey.of(sender);
    }

    @Override
    public int senderPort() {
        return sender == null ? 0 : sender.getPort();
    }

    @Override
    public String senderText() {
        return AddressKey.text(sender());
    }

    /** The last datagram's sender; null before the first. */
    public @Nullable InetSocketAddress sender() {
        return sender;
    }

    /** Sends an empty datagram to this socket, so that {@link #receive} returns. Needs no other descriptor. */
    @Override
    public void wake() {
        InetAddress host =
                address.getAddress().isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : address.getAddress();
        try {
            channel.send(ByteBuffer.allocate(0), new InetSocketAddress(host, address.getPort()));
        } catch (IOException closedOrFull) {
            // Then no thread waits.
        }
    }

    @Override
    public void stopWaiting() throws IOException {
        channel.configureBlocking(false);
    }

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public String protocol() {
        return "UDP";
    }

    @Override
    public int bytesMax() {
        return DATAGRAM_BYTES_MAX;
    }

    /** The size of the kernel's buffer for datagrams that are not yet read, including its own bookkeeping. */
    public int receiveBufferBytes() {
        return receiveBufferBytes;
    }

    /** How to get a larger receive buffer, for the log; empty if the full size was granted. */
    public Optional<String> remark() {
        return receiveBufferBytes >= RECEIVE_BUFFER_BYTES
                ? Optional.empty()
                : Optional.of("the kernel grants " + receiveBufferBytes + " of " + RECEIVE_BUFFER_BYTES
                        + " bytes for datagrams that are not yet read; for more, run sysctl -w net.core.rmem_max="
                        + RECEIVE_BUFFER_BYTES);
    }

    /** Datagrams to this port that the kernel dropped because the buffer was full; 0 if the system does not report them. */
    public long kernelDrops() {
        return KernelDrops.of(SOCKET_TABLES, address.getPort());
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
