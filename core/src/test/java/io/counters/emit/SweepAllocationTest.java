package io.counters.emit;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Measures how much a sweep allocates after warm-up, including its sockets. */
class SweepAllocationTest {
    private static final int COUNTERS = 10_000;
    private static final int CHANGED = 1_000;
    private static final long BYTES_MAX = 10_000;

    @Test
    void a_stream_takes_8_bytes_at_most_for_a_counter_that_another_collector_owns() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        OutboundStream stream = new OutboundStream("stream-of-the-allocation-test", 0, 0, true);

        long before = threads.getCurrentThreadAllocatedBytes();
        stream.assign(99_999, 1);
        stream.assign(50_000, 1);

        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(8 * 100_000);
    }

    @ParameterizedTest
    @CsvSource({"1, 65507, ''", "1, 1432, ''", "3, 65507, ''", "3, 1432, ''", "3, 1432, shop"})
    void a_sweep_of_10000_counters_of_which_1000_changed_allocates_under_10_kb(
            int collectors, int datagramBytes, String key, @TempDir Path folder) throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        CountedCells cells = new CountedCells();
        List<CollectorSocket> sockets = new ArrayList<>();
        List<String> addresses = new ArrayList<>();
        Transport[] transports = new Transport[collectors];
        try {
            for (int i = 0; i < collectors; i++) {
                CollectorSocket socket = new CollectorSocket();
                sockets.add(socket);
                addresses.add(socket.settings().toString());
                transports[i] = new UdpTransport(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.port()), datagramBytes);
            }
            EmitterSettings unsigned = EmitterSettings.to(String.join(";", addresses));
            Path keys = Files.writeString(folder.resolve("keys"), "shop " + "0123456789abcdef".repeat(4));
            EmitterSettings settings = key.isEmpty() ? unsigned : unsigned.key(key + ":" + keys);
            CounterTable table = cells.table();
            Sweep sweep = new Sweep(
                    table,
                    settings,
                    System::nanoTime,
                    System::currentTimeMillis,
                    () -> "stream-of-the-allocation-test",
                    collectors,
                    new CounterOwners(settings.collectors(), table));
            String[] names = new String[COUNTERS];
            for (int i = 0; i < COUNTERS; i++) {
                names[i] = "shop.orders.placed,customer=" + i;
                cells.add(names[i], 1);
            }

            List<Long> allocated = new ArrayList<>();
            for (int run = 0; run < 130; run++) {
                for (int i = 0; i < CHANGED; i++) {
                    cells.add(names[(run * CHANGED + i) % COUNTERS], 1);
                }
                long before = threads.getCurrentThreadAllocatedBytes();
                sweep.run(transports);
                allocated.add(threads.getCurrentThreadAllocatedBytes() - before);
            }

            assertThat(allocated.subList(0, 1))
                    .as("the first sweep allocates more, so the measurement works")
                    .allMatch(bytes -> bytes > BYTES_MAX);
            assertThat(allocated.subList(66, 130)).allMatch(bytes -> bytes < BYTES_MAX);
            for (int i = 0; i < collectors; i++) {
                assertThat(((UdpTransport) transports[i]).faults()).isZero();
                assertThat(sockets.get(i).received().values()).isNotEmpty();
            }
        } finally {
            for (int i = 0; i < sockets.size(); i++) {
                sockets.get(i).close();
                ((UdpTransport) transports[i]).close();
            }
        }
    }
}
