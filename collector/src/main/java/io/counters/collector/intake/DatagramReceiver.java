package io.counters.collector.intake;

import io.counters.collector.access.Gate;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.udp.Datagrams;
import io.counters.collector.udp.SocketFailures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One thread that waits in the kernel for the next datagram and merges it, without a queue between the socket and the
 * ledger. The package {@code udp} has the measurements behind this choice. A failure that may pass is tried again; any other
 * is thrown out of {@link #run} and ends the process.
 */
final class DatagramReceiver implements Runnable {
    /** The maximum number of datagrams that are still read at the end, because senders may never stop. */
    private static final int LAST_DATAGRAMS_MAX = 1_000_000;

    private final Datagrams socket;
    private final @Nullable Gate gate;

    /** For the log. */
    private final String what;

    private final Lines lines;
    private final Source source;
    private final LongAdder datagrams;
    private final LongAdder faultyReads;
    private final SocketFailures failures;
    private final FaultLog faults;
    private final ByteBuffer buffer;
    private final byte[] bytes;
    private final CountDownLatch ending = new CountDownLatch(1);

    /** Written by the receiving thread only, and without a fence, because it is written for every datagram. */
    private final AtomicLong rounds = new AtomicLong();

    /**
     * @param socket closed by {@link #run}
     * @param gate lets senders in; empty for all
     * @param datagrams counts the datagrams
     * @param lines of this thread
     */
    DatagramReceiver(
            Datagrams socket,
            Optional<Gate> gate,
            LongAdder datagrams,
            Lines lines,
            LongSupplier nanoClock,
            FaultLog faults,
            Metrics metrics) {
        this.socket = socket;
        this.gate = gate.orElse(null);
        this.datagrams = datagrams;
        this.lines = lines;
        this.faults = faults;
        what = "the " + socket.protocol() + " socket";
        source = new Source(socket.protocol(), false, socket::senderText);
        buffer = ByteBuffer.allocateDirect(socket.bytesMax() + 1);
        bytes = new byte[socket.bytesMax() + 1];
        faultyReads = metrics.count("intake_faulty_reads_total", "Datagrams and reads that caused an internal error.");
        failures = new SocketFailures(
                what,
                metrics.count("intake_receive_failures_total", "Receives and accepts that failed."),
                faults,
                nanoClock);
    }

    @Override
    public void run() {
        try {
            while (ending.getCount() > 0) {
                takeOrPause();
                rounds.lazySet(rounds.get() + 1);
            }
            if (!socket.keepsUnread()) {
                takeLast();
            }
        } finally {
            closeQuietly();
        }
    }

    private void takeOrPause() {
        try {
            take();
            failures.succeeded();
        } catch (IOException failure) {
            if (!socket.isOpen()) {
                throw new UncheckedIOException(what + " was closed, so it receives nothing", failure);
            }
            pause(failures.failed(failure));
        }
    }

    private void pause(long millis) {
        try {
            ending.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(
                    "the receiving thread was interrupted, so no more datagrams are received", nobodyShould);
        }
    }

    private void takeLast() {
        try {
            socket.stopWaiting();
            for (int left = LAST_DATAGRAMS_MAX; left > 0 && take(); left--) {
                // Until the last one.
            }
        } catch (IOException failure) {
            faults.warn("intake", "the last datagrams could not be received, because " + what + " failed: " + failure);
        }
    }

    /** Returns false if there is none. */
    private boolean take() throws IOException {
        int length = socket.receive(buffer.clear());
        if (length < 0) {
            return false;
        }
        if (length == 0 && ending.getCount() == 0) {
            // Sent by wake, so it is neither a datagram that was received nor of a sender that is not allowed.
            return true;
        }
        try {
            buffer.get(0, bytes, 0, length);
            source.addressKey = socket.senderKey();
            source.port = socket.senderPort();
            if (gate != null && !gate.admits(source.addressKey)) {
                return true;
            }
            int complete = length > socket.bytesMax() ? afterLastLine(length) : length;
            lines.datagram(source, bytes, 0, complete);
            if (complete < length) {
                lines.datagramCut(source, bytes, complete, length);
            }
        } catch (RuntimeException fault) {
            faultyReads.increment();
            faults.warn(
                    "faulty datagram",
                    "a datagram of " + length + " bytes from " + socket.senderText()
                            + " caused an internal error; the lines before the error were counted",
                    fault);
        }
        datagrams.increment();
        return true;
    }

    private int afterLastLine(int length) {
        int end = length;
        while (end > 0 && bytes[end - 1] != '\n') {
            end--;
        }
        return end;
    }

    private void closeQuietly() {
        try {
            socket.close();
        } catch (IOException failure) {
            faults.warn("close", what + " did not close: " + failure);
        }
    }

    /** How many receives have ended. From any thread. */
    long rounds() {
        return rounds.get();
    }

    /**
     * Ends {@link #run} once everything that has arrived is merged, or at once if the socket keeps it for the next process.
     * From any thread.
     */
    void close() {
        ending.countDown();
        socket.wake();
    }
}
