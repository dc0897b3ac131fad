package io.counters.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.testsupport.CollectorProgram;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sends raw lines to a collector without a pause, and records the points that the collector's {@code --sink stdout} prints:
 * every sink must have these points at the end. All methods may be called from any thread.
 */
final class Ticks implements AutoCloseable {
    private static final int ROUND_MILLIS = 50;
    private static final int COUNTED_A_ROUND = 50;
    private static final Pattern POINT = Pattern.compile("put (\\S+) (\\d+) (-?\\d+) (.*)");

    private final CollectorProgram collector;
    private final List<String> counters;
    private final Random random;
    private final Socket tcp;
    private final DatagramSocket udp = new DatagramSocket();
    private final Map<String, Long> counted = new TreeMap<>();
    private final Map<String, NavigableMap<Long, Long>> points = new TreeMap<>();
    private final NavigableSet<Long> seconds = new TreeSet<>();
    private final ScheduledThreadPoolExecutor rounds = new ScheduledThreadPoolExecutor(1);
    private long linesRead;
    private boolean enough;
    private final Future<?> counting;

    /** @param counters those with an even index are only incremented */
    Ticks(CollectorProgram collector, List<String> counters, Random random) throws IOException {
        this.collector = collector;
        this.counters = List.copyOf(counters);
        this.random = random;
        tcp = new Socket(InetAddress.getLoopbackAddress(), collector.port());
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < counters.size(); i++) {
            all.add(i);
        }
        send(all);
        counting = rounds.scheduleAtFixedRate(this::round, 0, ROUND_MILLIS, TimeUnit.MILLISECONDS);
    }

    private synchronized void round() {
        try {
            if (!enough) {
                List<Integer> some = new ArrayList<>();
                for (int i = 0; i < COUNTED_A_ROUND; i++) {
                    some.add(random.nextInt(counters.size()));
                }
                send(some);
            }
            note();
        } catch (IOException cannot) {
            throw new UncheckedIOException(cannot);
        }
    }

    private void send(List<Integer> places) throws IOException {
        StringBuilder byTcp = new StringBuilder();
        StringBuilder byUdp = new StringBuilder();
        for (int place : places) {
            // Of each width that OpenTSDB stores: 1, 2, 4 and 8 bytes.
            long amount = 1 + (random.nextLong() >>> 1 >>> (20 + random.nextInt(43)));
            boolean down = place % 2 == 1 && random.nextBoolean();
            String counter = counters.get(place);
            (place % 10 == 0 && byUdp.length() < 1000 ? byUdp : byTcp)
                    .append(down ? "decrement " : "increment ")
                    .append(counter)
                    .append(' ')
                    .append(amount)
                    .append('\n');
            counted.merge(counter, down ? -amount : amount, Long::sum);
        }
        OutputStream out = tcp.getOutputStream();
        out.write(byTcp.toString().getBytes(US_ASCII));
        byte[] datagram = byUdp.toString().getBytes(US_ASCII);
        if (datagram.length > 0) {
            udp.send(new DatagramPacket(datagram, datagram.length, InetAddress.getLoopbackAddress(), collector.port()));
        }
    }

    private void note() {
        for (String line : collector.program().outputAfter(linesRead)) {
            linesRead++;
            Matcher point = POINT.matcher(line);
            if (point.matches()) {
                String series = point.group(1) + "," + point.group(4).replace(' ', ',');
                long second = Long.parseLong(point.group(2));
                long value = Long.parseLong(point.group(3));
                NavigableMap<Long, Long> earlier = points.computeIfAbsent(series, fresh -> new TreeMap<>());
                if (!earlier.isEmpty() && earlier.lastKey() >= second) {
                    throw new AssertionError(
                            series + " has a point at " + second + " after one at " + earlier.lastKey());
                }
                earlier.put(second, value);
                seconds.add(second);
            }
        }
    }

    /** Stops counting, but continues to record points; returns each counter's value. */
    synchronized Map<String, Long> enough() {
        enough = true;
        return new TreeMap<>(counted);
    }

    /** The seconds for which there are points. */
    synchronized NavigableSet<Long> seconds() throws InterruptedException {
        if (counting.isDone()) {
            try {
                counting.get();
            } catch (ExecutionException failure) {
                throw new AssertionError("counting failed", failure.getCause());
            }
        }
        return new TreeSet<>(seconds);
    }

    /** The points up to this second, by series, such as {@code payments.tried,method=card,src=counters}. */
    synchronized Map<String, NavigableMap<Long, Long>> points(long last) {
        Map<String, NavigableMap<Long, Long>> until = new TreeMap<>();
        points.forEach((series, all) -> until.put(series, new TreeMap<>(all.headMap(last, true))));
        return until;
    }

    @Override
    public void close() throws IOException {
        rounds.shutdownNow();
        tcp.close();
        udp.close();
    }
}
