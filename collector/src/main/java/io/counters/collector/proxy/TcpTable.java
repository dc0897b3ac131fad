package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Reads the kernel's table of the TCP connections in this network namespace, Linux's {@code /proc/self/net/tcp6} and {@code
 * tcp}:
 *
 * <pre>
 *     0: 0100007F:1F90 0100007F:A0F2 01 00001A2B:00000000 01:00000014 00000003     0        0 4711 ...
 *        local         remote        st not acked:unread  timer:when  resent     uid  unanswered probes
 * </pre>
 *
 * <p>For each read the kernel walks over all connections: read rarely, and only when there is something to find out.
 */
final class TcpTable {
    private static final String MAPPED = "0000000000000000FFFF0000";
    private static final int TIMER_RESEND = 1;
    private static final int TIMER_WINDOW = 4;

    private final Path folder;

    /**
     * One connection.
     *
     * @param unacknowledged bytes that this program has written and the other kernel has not acknowledged
     * @param unanswered how many times in a row the kernel has retransmitted some of them, or probed a closed window, without
     *     an answer
     */
    record Row(long unacknowledged, int unanswered) {}

    /** @param folder the folder with the two files: {@code /proc/self/net} */
    TcpTable(Path folder) {
        this.folder = folder;
    }

    /** Whether this system has such a table. */
    boolean isThere() {
        return Files.isReadable(folder.resolve("tcp")) || Files.isReadable(folder.resolve("tcp6"));
    }

    /** The two ends of a connection, in the table's format. */
    static String ends(InetSocketAddress local, InetSocketAddress remote) {
        return end(local) + " " + end(remote);
    }

    private static String end(InetSocketAddress address) {
        InetAddress host = address.getAddress();
        StringBuilder text = new StringBuilder(host instanceof Inet4Address ? MAPPED : "");
        // The kernel prints the 32-bit words of an address in this machine's byte order.
        ByteBuffer words = ByteBuffer.wrap(host.getAddress()).order(ByteOrder.nativeOrder());
        while (words.hasRemaining()) {
            text.append(String.format(Locale.ROOT, "%08X", words.getInt()));
        }
        return text + String.format(Locale.ROOT, ":%04X", address.getPort());
    }

    /** The rows of these connections, by their ends; connections that are no longer in the table are left out. */
    Map<String, Row> rows(Set<String> ends) throws IOException {
        Map<String, Row> rows = new HashMap<>();
        // Java's sockets are IPv6 sockets that also carry IPv4, unless a system property changes that.
        read("tcp6", ends, rows);
        if (rows.size() < ends.size()) {
            read("tcp", ends, rows);
        }
        return rows;
    }

    private void read(String file, Set<String> ends, Map<String, Row> rows) throws IOException {
        Path table = folder.resolve(file);
        if (!Files.isReadable(table)) {
            return;
        }
        try (BufferedReader lines = Files.newBufferedReader(table, ISO_8859_1)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                line(line, ends, rows);
            }
        }
    }

    private static void line(String line, Set<String> ends, Map<String, Row> rows) {
        int local = line.indexOf(": ") + 2;
        int remote = line.indexOf(' ', local) + 1;
        int rest = line.indexOf(' ', remote) + 1;
        if (local < 2 || remote < 1 || rest < 1) {
            return;
        }
        boolean isIpv4 = remote - local == "01234567:0123 ".length();
        String read = isIpv4
                ? MAPPED + line.substring(local, remote) + MAPPED + line.substring(remote, rest - 1)
                : line.substring(local, rest - 1);
        if (!ends.contains(read)) {
            return;
        }
        String[] columns = line.substring(rest).split("[ :]+", 9);
        if (columns.length < 9) {
            return;
        }
        int timer = Integer.parseInt(columns[3], 16);
        int unanswered = timer == TIMER_RESEND
                ? Integer.parseUnsignedInt(columns[5], 16)
                : timer == TIMER_WINDOW ? Integer.parseInt(columns[7]) : 0;
        rows.put(read, new Row(Long.parseLong(columns[1], 16), unanswered));
    }
}
