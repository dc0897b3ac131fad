package io.counters.benchmarks.collector;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Sends datagrams to a port of this machine, as fast as possible or at a rate, for at most a minute. The datagrams are
 * rendered before, so that the loop only sends. A datagram counts as sent when the kernel has accepted it; on loopback
 * the kernel drops it if the receiver's buffer has no room. Not thread-safe.
 */
final class Blast implements AutoCloseable {
    private static final long NANOS_MAX = TimeUnit.MINUTES.toNanos(1);
    private static final int SEND_BUFFER_BYTES = 4 * 1024 * 1024;
    private static final long REFUSED_MAX = 1_000_000;

    /**
     * The number of datagrams that one socket sends before the next socket's turn, and before the clock is read again.
     */
    private static final int TURN = 32;

    private final List<DatagramChannel> sockets = new ArrayList<>();

    /** @param sources the number of ports to send from, in turns */
    Blast(int port, int sources) throws IOException {
        this(Collections.nCopies(sources, port));
    }

    /** @param ports to send to, in turns */
    Blast(List<Integer> ports) throws IOException {
        for (int port : ports) {
            DatagramChannel socket = DatagramChannel.open();
            sockets.add(socket);
            socket.setOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER_BYTES);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        }
    }

    /** How much was sent, and how long it took. */
    record Sent(long datagrams, long lines, double seconds) {
        private Sent beside(Sent other) {
            return new Sent(datagrams + other.datagrams, lines + other.lines, Math.max(seconds, other.seconds));
        }
    }

    /** The part of each thread. */
    interface Part {
        Sent send(Blast blast, Datagrams ring) throws IOException;
    }

    /**
     * Sends from several threads at once, because Java has no sendmmsg: one thread that sends single datagrams cannot
     * keep a good receiver busy.
     *
     * @param rings one for each thread
     * @param sources the number of ports from which each thread sends
     */
    static Sent together(int port, int sources, List<Datagrams> rings, Part part) throws IOException {
        return together(Collections.nCopies(sources, port), rings, part);
    }

    /** The same with several ports, to each of which each thread sends, in turns. */
    static Sent together(List<Integer> ports, List<Datagrams> rings, Part part) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(rings.size());
        try {
            List<Future<Sent>> all = new ArrayList<>();
            for (Datagrams ring : rings) {
                all.add(threads.submit(() -> {
                    try (Blast blast = new Blast(ports)) {
                        return part.send(blast, ring);
                    }
                }));
            }
            Sent sum = new Sent(0, 0, 0);
            for (Future<Sent> one : all) {
                sum = sum.beside(one.get());
            }
            return sum;
        } catch (ExecutionException failure) {
            throw new IOException(failure.getCause());
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        } finally {
            threads.shutdownNow();
        }
    }

    /** Sends the ring of datagrams repeatedly for {@code seconds}, 0 to 60, at full speed. */
    Sent forSeconds(Datagrams ring, double seconds) throws IOException {
        return send(ring, Long.MAX_VALUE, (long) (seconds * 1e9), Pace.FULL_SPEED);
    }

    /** Sends each datagram once, at full speed. */
    Sent once(Datagrams all) throws IOException {
        return send(all, all.count(), NANOS_MAX, Pace.FULL_SPEED);
    }

    /** Sends {@code count} datagrams of the ring, {@code perSecond} of them a second. */
    Sent atRate(Datagrams ring, long count, long perSecond) throws IOException {
        return send(ring, count, NANOS_MAX, perSecond);
    }

    private Sent send(Datagrams ring, long count, long nanos, long perSecond) throws IOException {
        Pace pace = new Pace(perSecond, System::nanoTime, LockSupport::parkNanos);
        ByteBuffer view = ring.text().duplicate();
        long sent = 0;
        int at = 0;
        for (int turn = 0; sent < count && pace.nanos() < Math.min(nanos, NANOS_MAX); turn++) {
            DatagramChannel socket = sockets.get(turn % sockets.size());
            for (long due = Math.min(pace.due(sent, TURN), count - sent); due > 0; due--) {
                write(socket, ring.at(view, at));
                at = at + 1 < ring.count() ? at + 1 : 0;
                sent++;
            }
        }
        return new Sent(sent, sent * ring.lines(), pace.nanos() / 1e9);
    }

    private static void write(DatagramChannel socket, ByteBuffer datagram) throws IOException {
        for (long refused = 0; ; refused++) {
            try {
                socket.write(datagram);
                return;
            } catch (PortUnreachableException nobodyThere) {
                // This error is about an earlier datagram; this one was not sent.
                if (refused >= REFUSED_MAX) {
                    throw nobodyThere;
                }
            }
        }
    }

    /** Sends {@code count} writes of the ring, repeating it, as one TCP stream; returns when all are written. */
    static Sent tcp(int port, Datagrams ring, int count) throws IOException {
        long begun = System.nanoTime();
        try (SocketChannel stream = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
            stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
            ByteBuffer view = ring.text().duplicate();
            for (int i = 0; i < count; i++) {
                ring.at(view, i % ring.count());
                while (view.hasRemaining()) {
                    stream.write(view);
                }
            }
        }
        return new Sent(count, (long) count * ring.lines(), (System.nanoTime() - begun) / 1e9);
    }

    @Override
    public void close() throws IOException {
        for (DatagramChannel socket : sockets) {
            socket.close();
        }
    }

    /**
     * Computes how many datagrams are due. Datagram i, from 0, is due {@code i / perSecond} after the beginning, never
     * earlier.
     */
    static final class Pace {
        static final long FULL_SPEED = 0;

        private static final double NANOS = 1e9;

        private final long perSecond;
        private final LongSupplier nanoClock;
        private final LongConsumer sleep;
        private final long begun;

        /** @param sleep waits for about the given number of nanoseconds; it may wake too early or too late */
        Pace(long perSecond, LongSupplier nanoClock, LongConsumer sleep) {
            this.perSecond = perSecond;
            this.nanoClock = nanoClock;
            this.sleep = sleep;
            begun = nanoClock.getAsLong();
        }

        /** The nanoseconds since the beginning. */
        long nanos() {
            return nanoClock.getAsLong() - begun;
        }

        /** The number of datagrams due after {@code sent}, at most {@code most}; waits until it is at least one. */
        long due(long sent, int most) {
            if (perSecond == FULL_SPEED) {
                return most;
            }
            double nextAt = sent * NANOS / perSecond;
            for (double left = nextAt - nanos(); left > 0; left = nextAt - nanos()) {
                sleep.accept((long) Math.ceil(left));
            }
            long all = (long) (nanos() * (double) perSecond / NANOS) + 1;
            return Math.min(most, all - sent);
        }
    }
}
