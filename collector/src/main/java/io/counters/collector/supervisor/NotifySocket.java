package io.counters.collector.supervisor;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The Unix datagram socket at which systemd listens. The JDK has no such sockets, so this uses Netty's. For one thread. */
final class NotifySocket implements AutoCloseable {
    private final Socket socket = Socket.newSocketDomainDgram();
    private final DomainSocketAddress address;

    /**
     * Connects, without waiting.
     *
     * @param address a path, or {@code @} and an abstract name
     * @throws IOException with the reason if that is not possible
     */
    NotifySocket(String address) throws IOException {
        // The kernel marks abstract names with a NUL.
        this.address = new DomainSocketAddress(address.startsWith("@") ? "\0" + address.substring(1) : address);
        try {
            socket.connect(this.address);
        } catch (IOException | RuntimeException cannot) {
            socket.close();
            throw cannot;
        }
    }

    /** Why there are no Unix datagram sockets here, if there are none. */
    static String unavailability() {
        Throwable root = Epoll.unavailabilityCause();
        while (root != null && root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root);
    }

    static boolean isAvailable() {
        return Epoll.isAvailable();
    }

    /** Sends one datagram; returns false if there is no room for it now. */
    boolean send(String text) throws IOException {
        byte[] bytes = text.getBytes(UTF_8);
        ByteBuffer datagram = ByteBuffer.allocateDirect(bytes.length).put(bytes);
        try {
            return socket.write(datagram, 0, bytes.length) > 0;
        } catch (IOException refused) {
            // Another socket may have the name now.
            socket.connect(address);
            return socket.write(datagram, 0, bytes.length) > 0;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
