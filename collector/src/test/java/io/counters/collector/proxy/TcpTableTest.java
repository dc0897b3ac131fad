package io.counters.collector.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TcpTableTest {
    private static final String HEAD =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    @TempDir
    Path folder;

    private static String ends(String local, int localPort, String remote, int remotePort) throws IOException {
        return TcpTable.ends(
                new InetSocketAddress(InetAddress.getByName(local), localPort),
                new InetSocketAddress(InetAddress.getByName(remote), remotePort));
    }

    @Test
    void rows_of_both_files_are_found_by_the_ends_of_the_connection() throws Exception {
        assumeTrue(ByteOrder.nativeOrder().equals(ByteOrder.LITTLE_ENDIAN), "the rows below are little-endian");
        Files.writeString(
                folder.resolve("tcp"),
                HEAD
                        + "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
                        + "   1: 0200000A:9C40 0300000A:1FBD 01 00000A2B:00000007 01:0000001E 00000003     0        0 21 2 0 20\n"
                        + "12345: 0200000A:9C41 0300000A:1FBD 01 00000100:00000000 04:0000001E 00000007     0        2 22 2\n");
        Files.writeString(
                folder.resolve("tcp6"),
                HEAD
                        + "   0: 0000000000000000FFFF00000200000A:9C42 0000000000000000FFFF00000300000A:1FBD 01"
                        + " 00000200:00000000 02:000000FF 00000000     0        1 23 2\n"
                        + "   1: B80D0120000000000000000001000000:9C43 B80D0120000000000000000002000000:1FBD 01"
                        + " 80000000:00000000 01:000000FF 0000000F     0        0 24 2\n"
                        + "   2: cut off\n");
        String resent = ends("10.0.0.2", 40_000, "10.0.0.3", 8125);
        String asked = ends("10.0.0.2", 40_001, "10.0.0.3", 8125);
        String mapped = ends("10.0.0.2", 40_002, "10.0.0.3", 8125);
        String ipv6 = ends("2001:db8::1", 40_003, "2001:db8::2", 8125);
        String gone = ends("10.0.0.2", 40_004, "10.0.0.3", 8125);

        assertThat(new TcpTable(folder).rows(Set.of(resent, asked, mapped, ipv6, gone)))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        resent, new TcpTable.Row(0xA2B, 3),
                        asked, new TcpTable.Row(0x100, 2),
                        mapped, new TcpTable.Row(0x200, 0),
                        ipv6, new TcpTable.Row(0x80000000L, 15)));
    }

    @Test
    void a_system_without_the_table_is_detected() {
        assertThat(new TcpTable(folder).isThere()).isFalse();
    }

    @Test
    void a_real_connection_is_listed_with_its_unacknowledged_bytes() throws Exception {
        TcpTable table = new TcpTable(Path.of("/proc/self/net"));
        assumeTrue(table.isThere(), "needs /proc/self/net/tcp");
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                SocketChannel channel = SocketChannel.open(server.getLocalSocketAddress())) {
            channel.configureBlocking(false);
            long written = 0;
            for (int count = 1; count > 0; written += count) {
                count = channel.write(ByteBuffer.allocate(1 << 20));
            }
            String ends = TcpTable.ends(
                    (InetSocketAddress) channel.getLocalAddress(), (InetSocketAddress) channel.getRemoteAddress());

            TcpTable.Row row = Objects.requireNonNull(table.rows(Set.of(ends)).get(ends));

            assertThat(row.unacknowledged()).isPositive().isLessThan(written);
            assertThat(row.unanswered()).isLessThan(3);
        }
    }
}
