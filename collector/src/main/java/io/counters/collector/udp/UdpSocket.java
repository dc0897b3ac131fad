package io.counters.collector.udp;

import io.counters.collector.common.AddressKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.UnsupportedAddressTypeException;
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

    private static final InetAddress V6_LOOPBACK = v6Loopback();
    private static final List<Path> SOCKET_TABLES = List.of(Path.of("/proc/net/udp"), Path.of("/proc/net/udp6"));

    private final DatagramChannel channel;
    private final InetSocketAddress address;
    private final int receiveBufferBytes;
    private final boolean isInherited;

    /** The last datagram's sender. */
    private @Nullable InetSocketAddress sender;

    /**
     * Opens the socket in blocking mode.
     *
     * @param at the address to bind; port 0 uses any free one
     * @throws IOException if the port is in use or not allowed
     */
    public UdpSocket(InetSocketAddress at) throws IOException {
        isInherited = false;
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

    /**
     * Uses a socket that another program, such as systemd, holds open while no process reads from it. Its buffer stays as
     * that program has set it, because Linux lets only root make it larger than {@code net.core.rmem_max}.
     *
     * @param inherited bound and not connected, in blocking mode
     */
    public UdpSocket(DatagramChannel inherited) throws IOException {
        isInherited = true;
        channel = inherited;
        // The JDK assumes that an inherited socket blocks; this makes it so.
        channel.configureBlocking(false);
        channel.configureBlocking(true);
        address = (InetSocketAddress) channel.getLocalAddress();
        receiveBufferBytes = channel.getOption(StandardSocketOptions.SO_RCVBUF);
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

    /**
     * Sends an empty datagram to this socket, so that {@link #receive} returns. Needs no other descriptor, unless the socket
     * was inherited: the JDK cannot send by one whose family is not the JDK's own.
     */
    @Override
    public void wake() {
        if (wakeHosts().stream().anyMatch(host -> wokenBy(channel, host)) || !isInherited) {
            return;
        }
        try (DatagramChannel other = DatagramChannel.open()) {
            wokenBy(other, wakeHosts().get(0));
        } catch (IOException noDescriptor) {
            // The thread ends with the process.
        }
    }

    /** Where this socket can be reached; the second one if it is an inherited one for IPv6 only. */
    private List<InetAddress> wakeHosts() {
        if (!address.getAddress().isAnyLocalAddress()) {
            return List.of(address.getAddress());
        }
        InetAddress loopback = InetAddress.getLoopbackAddress();
        return isInherited ? List.of(loopback, V6_LOOPBACK) : List.of(loopback);
    }

    private boolean wokenBy(DatagramChannel from, InetAddress host) {
        try {
            return from.send(ByteBuffer.allocate(0), new InetSocketAddress(host, address.getPort())) == 0;
        } catch (IOException | UnsupportedAddressTypeException closedFullOrOtherFamily) {
            // If the socket is closed or full, then no thread waits.
            return false;
        }
    }

    private static InetAddress v6Loopback() {
        try {
            return InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        } catch (UnknownHostException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Override
    public boolean keepsUnread() {
        return isInherited;
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

    /** How to get a larger receive buffer, for the log; empty if it has the full size. */
    public Optional<String> remark() {
        if (receiveBufferBytes >= RECEIVE_BUFFER_BYTES) {
            return Optional.empty();
        }
        return Optional.of(
                isInherited
                        ? "the inherited socket has a buffer of " + receiveBufferBytes
                                + " bytes for datagrams that are not yet"
                                + " read, less than " + RECEIVE_BUFFER_BYTES
                                + "; set a larger ReceiveBuffer= in the .socket unit"
                        : "the kernel grants " + receiveBufferBytes + " of " + RECEIVE_BUFFER_BYTES
                                + " bytes for datagrams that are not yet read; for more, run sysctl -w"
                                + " net.core.rmem_max=" + RECEIVE_BUFFER_BYTES);
    }

    /**
     * Datagrams that the kernel dropped because the buffer was full, since the socket was opened; 0 if the system does not
     * report them.
     */
    public long kernelDrops() {
        return SocketTable.drops(SOCKET_TABLES, address);
    }

    /** Whether datagrams wait that no thread has read; false if the system does not report it. */
    public boolean hasUnread() {
        return SocketTable.waitingBytes(SOCKET_TABLES, address) > 0;
    }

    /** Closes the socket, unless it was inherited: the JDK would close the log with it. */
    @Override
    public void close() throws IOException {
        if (!isInherited) {
            channel.close();
        }
    }
}
