package io.counters.demo;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A network in which someone reads what passes: it forwards each datagram to a port on loopback, and remembers the latest ones. */
final class Eavesdropper implements AutoCloseable {
    private static final int REMEMBERED_MAX = 4_096;

    private final DatagramSocket socket;
    private final int to;

    /** In a ring; guarded by itself. */
    private final List<byte[]> heard = new ArrayList<>();

    private int oldest;

    /** @param to the port to which it forwards */
    Eavesdropper(int to) throws IOException {
        this.to = to;
        socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(this::run, "eavesdropper");
        thread.setDaemon(true);
        thread.start();
    }

    /** Where it listens. */
    String address() {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    /** What it has heard, at most the latest {@value #REMEMBERED_MAX} datagrams. */
    List<byte[]> heard() {
        synchronized (heard) {
            return List.copyOf(heard);
        }
    }

    private void run() {
        DatagramPacket packet = new DatagramPacket(new byte[65_507], 65_507);
        try {
            while (true) {
                socket.receive(packet);
                remember(Arrays.copyOf(packet.getData(), packet.getLength()));
                socket.send(
                        new DatagramPacket(packet.getData(), packet.getLength(), InetAddress.getLoopbackAddress(), to));
            }
        } catch (SocketException closed) {
            // The test is over.
        } catch (IOException broken) {
            throw new IllegalStateException(broken);
        }
    }

    private void remember(byte[] datagram) {
        synchronized (heard) {
            if (heard.size() < REMEMBERED_MAX) {
                heard.add(datagram);
            } else {
                heard.set(oldest, datagram);
                oldest = (oldest + 1) % REMEMBERED_MAX;
            }
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
