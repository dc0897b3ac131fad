package io.counters.collector.intake;

import io.counters.collector.udp.UnixSocket;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Removes the name of a Unix socket while it has no descriptors left, in its own process, for {@link UnixSocketTest}. */
final class UnixSocketProgram {
    private static final int TRIES = 10;

    private UnixSocketProgram() {}

    public static void main(String[] args) throws IOException {
        Path path = Path.of(args[0]);
        try (UnixSocket socket = new UnixSocket(path, System::nanoTime)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(100);
            // Once with descriptors, because a class cannot be loaded without one later.
            removeAndReceive(socket, path, buffer);
            System.out.println(Files.exists(path));

            List<InputStream> all = takeAll();
            removeAndReceive(socket, path, buffer);
            for (InputStream one : all) {
                one.close();
            }
            for (int i = 0; i < TRIES && !Files.exists(path); i++) {
                receive(socket, buffer);
            }
            System.out.println(Files.exists(path) ? "is back" : "is gone");
        }
    }

    private static void removeAndReceive(UnixSocket socket, Path path, ByteBuffer buffer) throws IOException {
        Files.delete(path);
        for (int i = 0; i < 2; i++) {
            receive(socket, buffer);
        }
    }

    private static void receive(UnixSocket socket, ByteBuffer buffer) {
        try {
            socket.receive(buffer.clear());
        } catch (IOException failure) {
            System.out.println("failed: " + failure.getMessage());
        }
    }

    private static List<InputStream> takeAll() {
        List<InputStream> all = new ArrayList<>();
        try {
            while (all.size() < 1000) {
                all.add(new FileInputStream("/dev/null"));
            }
        } catch (IOException none) {
            System.out.println(all.size() + " descriptors: " + none.getMessage());
        }
        return all;
    }
}
