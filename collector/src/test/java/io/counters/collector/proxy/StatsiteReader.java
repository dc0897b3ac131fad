package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts what it receives as statsite does, by its documented protocol and its way of reading: it treats everything that
 * waits, on a connection or in all datagrams together, as one kind, by the first byte.
 */
final class StatsiteReader implements AutoCloseable {
    private static final byte MAGIC = (byte) 0xAA;
    private static final int BUFFER_BYTES = 1 << 20;
    private static final int DATAGRAM_BYTES = 1500;

    private final Selector selector = Selector.open();
    private final ServerSocketChannel tcp = ServerSocketChannel.open();
    private final DatagramChannel udp = DatagramChannel.open();
    private final Map<String, Long> counts = new ConcurrentHashMap<>();
    private final Thread thread = new Thread(this::run, "statsite");
    private final AtomicLong bad = new AtomicLong();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger together = new AtomicInteger();
    private volatile boolean closed;

    /** The bytes of one connection, or of UDP, that were not parsed yet. */
    private static final class Input {
        final byte[] bytes = new byte[BUFFER_BYTES];
        final ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    StatsiteReader(InetAddress host, int port) throws IOException {
        tcp.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        tcp.bind(new InetSocketAddress(host, port));
        tcp.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
        udp.setOption(StandardSocketOptions.SO_RCVBUF, 4 << 20);
        udp.bind(new InetSocketAddress(host, port()));
        udp.configureBlocking(false).register(selector, SelectionKey.OP_READ, new Input());
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Runs a reader as a process, for another network namespace. For every line on stdin, it prints its counts, one a line,
     * and then an empty line.
     */
    public static void main(String[] args) throws IOException {
        try (StatsiteReader reader = new StatsiteReader(InetAddress.getByName(args[0]), Integer.parseInt(args[1]))) {
            System.out.println("listening");
            while (System.in.read() >= 0) {
                System.in.skipNBytes(System.in.available());
                StringBuilder answer = new StringBuilder();
                new TreeMap<>(reader.counts)
                        .forEach((key, count) ->
                                answer.append(key).append('\t').append(count).append('\n'));
                System.out.println(answer.append("bad\t").append(reader.bad()).append('\n'));
            }
        }
    }

    int port() throws IOException {
        return ((InetSocketAddress) tcp.getLocalAddress()).getPort();
    }

    /** The sum of each key's amounts. */
    Map<String, Long> counts() {
        return counts;
    }

    /** How many lines and frames could not be parsed. */
    long bad() {
        return bad.get();
    }

    /** How many connections were opened so far. */
    int connections() {
        return connections.get();
    }

    /** How often datagrams of both kinds waited together. */
    int together() {
        return together.get();
    }

    private void run() {
        while (!closed) {
            try {
                selector.select(this::serve);
            } catch (IOException | RuntimeException ended) {
                return;
            }
        }
    }

    private void serve(SelectionKey key) {
        try {
            if (key.isAcceptable()) {
                SocketChannel connection = tcp.accept();
                connection.configureBlocking(false).register(selector, SelectionKey.OP_READ, new Input());
                connections.incrementAndGet();
            } else if (key.channel().equals(udp)) {
                datagrams((Input) key.attachment());
            } else {
                Input input = (Input) key.attachment();
                boolean goesOn = ((SocketChannel) key.channel()).read(input.buffer) >= 0 && take(input);
                if (!goesOn) {
                    key.channel().close();
                }
            }
        } catch (IOException reset) {
            key.cancel();
        }
    }

    private void datagrams(Input input) throws IOException {
        ByteBuffer buffer = input.buffer.clear();
        boolean isTogether = false;
        for (int begin = 0; buffer.remaining() > DATAGRAM_BYTES && udp.receive(buffer) != null; ) {
            isTogether |= begin > 0 && (buffer.get(begin) == MAGIC) != (buffer.get(0) == MAGIC);
            if (buffer.get(buffer.position() - 1) != '\n') {
                buffer.put((byte) '\n');
            }
            begin = buffer.position();
        }
        if (isTogether) {
            together.incrementAndGet();
        }
        take(input);
    }

    /** Parses the complete messages; returns false when the connection must be closed. */
    private boolean take(Input input) {
        ByteBuffer buffer = input.buffer.flip();
        boolean goesOn = !buffer.hasRemaining() || (buffer.get(0) == MAGIC ? frames(input) : lines(input));
        buffer.compact();
        return goesOn;
    }

    private boolean lines(Input input) {
        ByteBuffer buffer = input.buffer;
        for (int at = buffer.position(), end = at; end < buffer.limit(); end++) {
            if (input.bytes[end] == '\n') {
                line(new String(input.bytes, at, end - at, ISO_8859_1));
                at = end + 1;
                buffer.position(at);
            }
        }
        return true;
    }

    private void line(String line) {
        int colon = line.indexOf(':');
        int bar = line.indexOf('|');
        if (colon > 0 && bar > colon && line.startsWith("c", bar + 1)) {
            try {
                counts.merge(line.substring(0, colon), Long.valueOf(line.substring(colon + 1, bar)), Long::sum);
                return;
            } catch (NumberFormatException noNumber) {
                // Counted as bad.
            }
        }
        bad.incrementAndGet();
    }

    private boolean frames(Input input) {
        ByteBuffer buffer = input.buffer;
        while (buffer.remaining() >= 12) {
            int begin = buffer.position();
            if (buffer.get(begin) == '\n') {
                buffer.position(++begin);
            }
            if (buffer.get(begin) != MAGIC || buffer.get(begin + 1) != 2) {
                bad.incrementAndGet();
                return false;
            }
            int length = 12 + buffer.getShort(begin + 2);
            if (buffer.remaining() < length) {
                return true;
            }
            byte[] key = Arrays.copyOfRange(input.bytes, begin + 12, begin + length - 1);
            counts.merge(new String(key, ISO_8859_1), (long) buffer.getDouble(begin + 4), Long::sum);
            buffer.position(begin + length);
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        closed = true;
        selector.keys().forEach(key -> {
            try {
                key.channel().close();
            } catch (IOException closedAllTheSame) {
                // Nothing else to do.
            }
        });
        selector.close();
    }
}
