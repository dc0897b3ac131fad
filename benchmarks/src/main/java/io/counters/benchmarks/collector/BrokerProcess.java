package io.counters.benchmarks.collector;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A Kafka broker of the module {@code kafka} on loopback, which ends with this process. */
final class BrokerProcess implements AutoCloseable {
    private static final Path BUILT = Path.of("kafka/target");

    private final Path folder;
    private final int port;
    private final Child child;

    BrokerProcess(Path folder) throws IOException {
        this.folder = folder;
        int controllerPort;
        try (ServerSocket free = free();
                ServerSocket other = free()) {
            port = free.getLocalPort();
            controllerPort = other.getLocalPort();
        }
        child = Child.java(List.of(
                "-Xmx1g",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "-cp",
                Files.readString(BUILT.resolve("class-path")).strip()
                        + File.pathSeparator
                        + BUILT.resolve("counters-kafka.jar"),
                "io.counters.kafka.LeashedBroker",
                folder.toString(),
                "0",
                port + ":" + controllerPort,
                // Larger than the module's own, which suit a heap of 256 MB.
                "num.network.threads=3",
                "num.io.threads=8",
                "group.initial.rebalance.delay.ms=0"));
        child.line("is ready");
    }

    private static ServerSocket free() throws IOException {
        return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    Child child() {
        return child;
    }

    /** For the clients' setting {@code bootstrap.servers}. */
    String address() {
        return "127.0.0.1:" + port;
    }

    /** The bytes of all records of a topic that are on its disk. */
    long bytes(String topic) throws IOException {
        long bytes = 0;
        try (Stream<Path> partitions = Files.list(folder)) {
            for (Path partition : partitions
                    .filter(one -> one.getFileName().toString().startsWith(topic + "-"))
                    .toList()) {
                try (Stream<Path> files = Files.list(partition)) {
                    bytes += files.filter(one -> one.toString().endsWith(".log"))
                            .mapToLong(one -> one.toFile().length())
                            .sum();
                }
            }
        }
        return bytes;
    }

    @Override
    public void close() {
        try {
            // It would wait for other controllers to take over, of which there are none.
            child.kill();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }
}
