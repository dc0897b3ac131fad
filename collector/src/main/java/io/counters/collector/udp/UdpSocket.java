package io.counters.collector.udp;

import io.counters.collector.self.AddressKey;
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
 * A socket that datagrams come in by. {@link #receive}, {@link #sender} and {@link #senderKey} are for one thread, the
 * rest for any.
 */
public class UdpSocket implements Datagrams {
    /** What a buffer needs for the longest datagram there is. */
    public static final int DATAGRAM_BYTES_MAX = 65_536;

    private static final int RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;

    private static final List<Path> SOCKET_TABLES = List.of(Path.of("/proc/net/udp"), Path.of("/proc/net/udp6"));

    private final DatagramChannel channel;
    private final InetSocketAddress address;
    private final int receiveBufferBytes;
    private final Receive receive;

    /**
     * Opens it, in blocking mode.
     *
     * @param at where datagrams are to come; port 0 takes a free one
     * @throws IOException when the port is taken or may not be used
     */
    public UdpSocket(InetSocketAddress at) throws IOException {
        channel = DatagramChannel.open();
        try {
            channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
            channel.bind(at);
            address = (InetSocketAddress) channel.getLocalAddress();
            receiveBufferBytes = channel.getOption(StandardSocketOptions.SO_RCVBUF);
            receive = new Receive(channel);
        } catch (IOException | RuntimeException cannot) {
            channel.close();
            throw cannot;
        }
    }

    /** Where datagrams come, with the port that was got. */
    public InetSocketAddress address() {
        return address;
    }

    /** To wait for it beside others, in non-blocking mode; not to be received from. */
    public DatagramChannel channel() {
        return channel;
    }

    /**
     * Takes the next datagram, after waiting for it where the channel blocks.
     *
     * @param empty direct, with room for a datagram, and at 0
     * @return its bytes, which stand from 0; -1 when there is none and the channel does not block
     */
    @Override
    public int receive(ByteBuffer empty) throws IOException {
        return receive.into(empty);
    }

    /**
     * The {@link AddressKey} of who sent the datagram that was received last; {@link AddressKey#UNKNOWN} before the first.
     * Allocates nothing.
     */
    @Override
    public long senderKey() {
        return receive.senderKey();
    }

    @Override
    public int senderPort() {
        return receive.senderPort();
    }

    @Override
    public String senderText() {
        return AddressKey.text(sender());
    }

    /** Who sent the datagram that was received last; null before the first. Made when asked for: for the log. */
    public @Nullable InetSocketAddress sender() {
        return receive.sender();
    }

    /** Sends an empty datagram here, so that who waits in {@link #receive} looks up. Needs no other descriptor for it. */
    @Override
    public void wake() {
        InetAddress host =
                address.getAddress().isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : address.getAddress();
        try {
            channel.send(ByteBuffer.allocate(0), new InetSocketAddress(host, address.getPort()));
        } catch (IOException closedOrFull) {
            // Then nobody waits.
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

    /** Bytes that the kernel keeps for datagrams not yet read, its own bookkeeping counted in. */
    public int receiveBufferBytes() {
        return receiveBufferBytes;
    }

    /** What to do for a larger receive buffer, for the log; empty where all that was asked was granted. */
    public Optional<String> remark() {
        return receiveBufferBytes >= RECEIVE_BUFFER_BYTES
                ? Optional.empty()
                : Optional.of("the kernel grants " + receiveBufferBytes + " of " + RECEIVE_BUFFER_BYTES
                        + " bytes for datagrams not yet read; for more: sysctl -w net.core.rmem_max="
                        + RECEIVE_BUFFER_BYTES);
    }

    /** Datagrams that came to this port and that the kernel threw away as that was full; 0 where it does not tell. */
    public long kernelDrops() {
        return KernelDrops.of(SOCKET_TABLES, address.getPort());
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
