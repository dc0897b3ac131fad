package io.counters.benchmarks.collector;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** What open tabs of the page cost the collector: 10,000 counters, of which 1,000 move a second. */
public final class PageTable {
    private static final int COUNTERS = 10_000;
    private static final int MOVING = 1_000;
    private static final int NAMES_IN_DATAGRAM = 40;
    private static final int WARM_SECONDS = 20;
    private static final int SECONDS = 30;
    private static final String FIRST_ROWS = "rows=60&from=0";

    private PageTable() {}

    /** A tab: an answer with events that stays open, and is read as fast as events arrive. */
    private static final class Tab implements AutoCloseable {
        private final InputStream events;
        private final AtomicLong bytes;

        Tab(HttpClient http, URI page, String query, AtomicLong bytes) throws IOException, InterruptedException {
            this.bytes = bytes;
            HttpRequest request =
                    HttpRequest.newBuilder(page.resolve("/api/live?" + query)).build();
            events = http.send(request, HttpResponse.BodyHandlers.ofInputStream())
                    .body();
            Thread reader = new Thread(this::read, "tab");
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            byte[] some = new byte[8192];
            try {
                for (int length = events.read(some); length >= 0; length = events.read(some)) {
                    bytes.addAndGet(length);
                }
            } catch (IOException closed) {
                // The measurement is over.
            }
        }

        @Override
        public void close() throws IOException {
            events.close();
        }
    }

    private static String name(int counter) {
        return String.format("shop.orders.%05d,method=m%d", counter, counter % 7);
    }

    /** Moves 1,000 counters a second, evenly; ends with the program. */
    private static void move(int port) {
        try (DatagramSocket socket = new DatagramSocket()) {
            int datagrams = MOVING / NAMES_IN_DATAGRAM;
            for (int sent = 0; ; sent++) {
                StringBuilder lines = new StringBuilder();
                for (int i = 0; i < NAMES_IN_DATAGRAM; i++) {
                    // The first ones in the list are among those that move.
                    lines.append("increment ")
                            .append(name(sent % datagrams * NAMES_IN_DATAGRAM + i))
                            .append('\n');
                }
                byte[] bytes = lines.toString().getBytes(US_ASCII);
                socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
                Thread.sleep(1000 / datagrams);
            }
        } catch (IOException | InterruptedException over) {
            throw new IllegalStateException(over);
        }
    }

    /** Prints a row for each number of tabs. */
    public static void main(String... arguments) throws Exception {
        Path folder = Files.createTempDirectory("counters-page");
        System.out.println(Machine.facts());
        try (CollectorProcess collector = new CollectorProcess(Path.of("collector/target/collector.jar"), folder)) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), collector.tcpPort())) {
                StringBuilder lines = new StringBuilder();
                for (int i = 0; i < COUNTERS; i++) {
                    lines.append("increment ").append(name(i)).append('\n');
                }
                socket.getOutputStream().write(lines.toString().getBytes(US_ASCII));
            }
            collector.await("all counters", metrics -> metrics.getOrDefault("ledger_counters", 0L) >= COUNTERS);
            Thread mover = new Thread(() -> move(collector.port()), "mover");
            mover.setDaemon(true);
            mover.start();
            System.out.println("| open tabs | CPU of the collector, % of a core | KB a second to all tabs |");
            System.out.println("| --- | --- | --- |");
            row(collector, "none", List.of());
            row(collector, "1", List.of(FIRST_ROWS));
            row(collector, "1, with health", List.of(FIRST_ROWS + "&panel=1"));
            row(collector, "1, sorted by rate", List.of(FIRST_ROWS + "&sort=rate&order=desc"));
            row(collector, "10 that look at the same", java.util.Collections.nCopies(10, FIRST_ROWS));
            List<String> others = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                others.add("rows=60&from=" + 60 * i + "&q=" + i);
            }
            row(collector, "10 with other searches", others);
            row(collector, "none", List.of());
        }
    }

    private static void row(CollectorProcess collector, String title, List<String> queries) throws Exception {
        AtomicLong bytes = new AtomicLong();
        List<Tab> tabs = new ArrayList<>();
        HttpClient http = HttpClient.newHttpClient();
        for (String query : queries) {
            tabs.add(new Tab(http, collector.page(), query, bytes));
        }
        Thread.sleep(WARM_SECONDS * 1000L);
        double before = collector.child().cpuSeconds();
        long bytesBefore = bytes.get();
        long begun = System.nanoTime();
        Thread.sleep(SECONDS * 1000L);
        double seconds = (System.nanoTime() - begun) / 1e9;
        double cpu = (collector.child().cpuSeconds() - before) / seconds * 100;
        System.out.printf("| %s | %.2f | %.1f |%n", title, cpu, (bytes.get() - bytesBefore) / seconds / 1000);
        for (Tab tab : tabs) {
            tab.close();
        }
    }
}
