package io.counters.collector.common;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The program's stderr, to which no thread waits to write. Text is written to a buffer of {@value #BUFFER_BYTES} bytes, and
 * a separate thread writes it to the real stream. If the buffer is full, because stderr is not read, whole lines are dropped
 * and counted; the number is written once there is room again. For any thread.
 */
public final class LogStream extends PrintStream {
    static final int BUFFER_BYTES = 256 * 1024;
    private static final int BYTES_AT_ONCE = 8 * 1024;
    private static final long LOOK_MILLIS = 10;

    private final Buffer buffer;

    /**
     * Starts the thread that writes.
     *
     * @param out the real stream
     * @param nanoClock monotonic
     * @param threads creates that thread
     */
    public LogStream(OutputStream out, LongSupplier nanoClock, ThreadFactory threads) {
        this(new Buffer(out, nanoClock));
        threads.newThread(buffer::run).start();
    }

    private LogStream(Buffer buffer) {
        super(buffer, false, UTF_8);
        this.buffer = buffer;
    }

    /** If {@code System.err} is such a stream, waits at most {@code millis} until everything in its buffer is written. */
    public static void drain(long millis) {
        if (System.err instanceof LogStream log) {
            log.buffer.drain(millis);
        }
    }

    /** The lines that {@code System.err} has dropped since the start. */
    public static long droppedLines() {
        return System.err instanceof LogStream log ? log.buffer.droppedLines() : 0;
    }

    private static final class Buffer extends OutputStream {
        private final OutputStream out;
        private final LongSupplier nanoClock;
        private final byte[] ring = new byte[BUFFER_BYTES];
        private final byte[] chunk = new byte[BYTES_AT_ONCE];
        private int begin;
        private int size;
        private boolean writing;

        /** Whether the rest of a line is dropped because its beginning was. */
        private boolean cut;

        private long dropped;
        private long unsaid;

        Buffer(OutputStream out, LongSupplier nanoClock) {
            this.out = out;
            this.nanoClock = nanoClock;
        }

        @Override
        public void write(int letter) {
            write(new byte[] {(byte) letter}, 0, 1);
        }

        @Override
        public synchronized void write(byte[] bytes, int offset, int length) {
            if (length == 0) {
                return;
            }
            boolean endsLine = bytes[offset + length - 1] == '\n';
            if (!cut && unsaid > 0) {
                byte[] said = ("log lines dropped, because stderr was not read: " + unsaid + "\n").getBytes(UTF_8);
                if (said.length + length <= ring.length - size) {
                    put(said, 0, said.length);
                    unsaid = 0;
                }
            }
            if (cut || length > ring.length - size) {
                for (int i = offset; i < offset + length; i++) {
                    if (bytes[i] == '\n') {
                        dropped++;
                        unsaid++;
                    }
                }
                cut = !endsLine;
                return;
            }
            put(bytes, offset, length);
            notifyAll();
        }

        private void put(byte[] bytes, int offset, int length) {
            int end = (begin + size) % ring.length;
            int first = Math.min(length, ring.length - end);
            System.arraycopy(bytes, offset, ring, end, first);
            System.arraycopy(bytes, offset + first, ring, 0, length - first);
            size += length;
        }

        @SuppressWarnings("InfiniteLoopStatement") // A daemon: it ends with the process.
        void run() {
            while (true) {
                int count = take();
                try {
                    out.write(chunk, 0, count);
                    out.flush();
                } catch (IOException | RuntimeException nobodyListens) {
                    // There is no other place to log it.
                }
            }
        }

        private synchronized int take() {
            writing = false;
            notifyAll();
            while (size == 0) {
                try {
                    wait();
                } catch (InterruptedException nobodyShould) {
                    // It must write for as long as the process runs.
                }
            }
            writing = true;
            int count = Math.min(Math.min(size, chunk.length), ring.length - begin);
            System.arraycopy(ring, begin, chunk, 0, count);
            begin = (begin + count) % ring.length;
            size -= count;
            return count;
        }

        synchronized void drain(long millis) {
            long deadline = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(millis);
            try {
                while ((size > 0 || writing) && nanoClock.getAsLong() - deadline < 0) {
                    wait(LOOK_MILLIS);
                }
            } catch (InterruptedException hurried) {
                Thread.currentThread().interrupt();
            }
        }

        synchronized long droppedLines() {
            return dropped;
        }
    }
}
