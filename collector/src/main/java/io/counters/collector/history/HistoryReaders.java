package io.counters.collector.history;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The connections that read, at most {@value #MAX}: further reads wait for one of them. For any thread. */
final class HistoryReaders implements AutoCloseable {
    private static final int MAX = 4;
    private static final long WAIT_MILLIS = 5_000;

    private final Path file;
    private final Semaphore room = new Semaphore(MAX, true);
    private final Deque<HistoryReader> idle = new ArrayDeque<>();

    /** Connections of an earlier generation read a file that was replaced. */
    private int generation;

    private boolean closed;

    /** What to read. */
    @FunctionalInterface
    interface Question<T> {
        T ask(HistoryReader reader) throws SQLException, IOException;
    }

    HistoryReaders(Path file) {
        this.file = file;
    }

    /** @throws IOException when all connections were busy for 5 s, or as the question does */
    <T> T read(Question<T> question) throws SQLException, IOException {
        boolean isIn;
        try {
            isIn = room.tryAcquire(WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            isIn = false;
        }
        if (!isIn) {
            throw new IOException("the history is being read too often at once; try again");
        }
        HistoryReader reader = null;
        int born;
        boolean isSound = false;
        try {
            synchronized (this) {
                reader = idle.poll();
                born = generation;
            }
            if (reader == null) {
                reader = new HistoryReader(file);
            }
            T answer = question.ask(reader);
            isSound = true;
            synchronized (this) {
                if (!closed && born == generation) {
                    idle.push(reader);
                    reader = null;
                }
            }
            return answer;
        } finally {
            room.release();
            close(reader, isSound);
        }
    }

    private static void close(@Nullable HistoryReader reader, boolean isSound) throws SQLException {
        if (reader != null) {
            try {
                reader.close();
            } catch (SQLException failure) {
                // If it has failed before, that failure is reported already.
                if (isSound) {
                    throw failure;
                }
            }
        }
    }

    /** Closes all that are idle, and the others once they have been used. */
    synchronized void renew() throws SQLException {
        generation++;
        while (!idle.isEmpty()) {
            idle.pop().close();
        }
    }

    @Override
    public synchronized void close() throws SQLException {
        closed = true;
        renew();
    }
}
