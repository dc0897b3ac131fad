package io.counters.agent;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.awaitility.Awaitility.await;

import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** Receives datagrams like a collector, and sums the amounts by their totals, so that repeated ones count once. */
final class Receiver implements AutoCloseable, Commands {
    private static final String DRAINED = "receiver.drained.";

    private final DatagramSocket socket;
    private final Map<String, Long> sums = new ConcurrentHashMap<>();
    private final Map<String, Long> watermarks = new ConcurrentHashMap<>();
    private String sender = "";
    private int drains;

    Receiver() throws IOException {
        socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        // Large enough for a last sweep of 100,000 names.
        socket.setReceiveBufferSize(4 << 20);
        Thread thread = new Thread(this::receive, "receiver");
        thread.setDaemon(true);
        thread.start();
    }

    /** Agent arguments that let the agent send here every 50 ms. */
    String arguments() {
        return "collector=" + address() + ",sweep=50ms";
    }

    /** Where it listens. */
    String address() {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    /**
     * The sum of each name, after everything that was sent before this call has been read. Its own datagram is sent
     * until it arrives: the socket drops it while its buffer is full.
     */
    Map<String, Long> sums() throws IOException {
        String drained = DRAINED + drains++;
        byte[] last = ("increment " + drained).getBytes(ISO_8859_1);
        try (DatagramSocket own = new DatagramSocket()) {
            await().until(() -> {
                own.send(new DatagramPacket(last, last.length, socket.getLocalSocketAddress()));
                return sums.containsKey(drained);
            });
        }
        sums.values().removeIf(sum -> sum == 0);
        Map<String, Long> copy = new HashMap<>(sums);
        copy.keySet().removeIf(name -> name.startsWith(DRAINED));
        return copy;
    }

    /** The IDs of the streams whose lines have arrived. */
    Set<String> streams() {
        return watermarks.keySet().stream()
                .map(key -> key.substring(0, key.indexOf(' ')))
                .collect(Collectors.toSet());
    }

    private void receive() {
        CommandReader reader = new CommandReader(this);
        byte[] bytes = new byte[65_536];
        try {
            while (true) {
                DatagramPacket packet = new DatagramPacket(bytes, bytes.length);
                socket.receive(packet);
                reader.datagram(bytes, 0, packet.getLength());
            }
        } catch (IOException closed) {
            return;
        }
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        sender = new String(bytes, begin, end - begin, ISO_8859_1);
    }

    @Override
    public void fromNobody() {
        sender = "";
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        String name = new String(bytes, begin, end - begin, ISO_8859_1);
        long applied = amount;
        if (total != NO_TOTAL) {
            String key = sender + " " + verb + " " + name;
            applied = Math.max(0, total - watermarks.getOrDefault(key, 0L));
            watermarks.merge(key, total, Math::max);
        }
        sums.merge(name, verb == Verb.INCREMENT ? applied : -applied, Long::sum);
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        sums.merge("rejected." + why.reason(), 1L, Long::sum);
    }

    @Override
    public void close() {
        socket.close();
    }
}
