package io.counters.emit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A collector's UDP port on loopback. Datagrams wait in the kernel until {@link #received} reads them. */
public final class CollectorSocket implements AutoCloseable {
    private final DatagramSocket socket;
    private final TotalsReceiver receiver = new TotalsReceiver();
    private final List<byte[]> datagrams = new ArrayList<>();

    /** Binds a free port. */
    public CollectorSocket() {
        this(0);
    }

    CollectorSocket(int port) {
        this(InetAddress.getLoopbackAddress(), port);
    }

    CollectorSocket(InetAddress address, int port) {
        try {
            socket = new DatagramSocket(new InetSocketAddress(address, port));
            socket.setReceiveBufferSize(4 << 20);
            socket.setSoTimeout(20);
        } catch (SocketException taken) {
            throw new UncheckedIOException(taken);
        }
    }

    /** Settings that send to this socket. */
    public EmitterSettings settings() {
        return EmitterSettings.to("127.0.0.1:" + port()).sweepMillis(10);
    }

    int port() {
        return socket.getLocalPort();
    }

    /** Reads what has arrived. */
    public TotalsReceiver received() {
        byte[] bytes = new byte[65_507];
        try {
            // A running emitter always sends more, so the number of reads per call is limited.
            for (int i = 0; i < 100; i++) {
                DatagramPacket packet = new DatagramPacket(bytes, bytes.length);
                socket.receive(packet);
                receiver.datagram(bytes, packet.getLength());
                datagrams.add(Arrays.copyOf(bytes, packet.getLength()));
            }
        } catch (SocketTimeoutException allRead) {
            return receiver;
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
        return receiver;
    }

    /** All datagrams read so far. */
    public List<byte[]> datagrams() {
        return datagrams;
    }

    @Override
    public void close() {
        socket.close();
    }
}
