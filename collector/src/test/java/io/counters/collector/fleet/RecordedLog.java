package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.TimeoutException;

/** A topic in memory. Its test decides when it has room, and which records are acknowledged. */
final class RecordedLog implements LineLog {
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    record Row(int partition, byte[] text, long wallMillis, Contents contents, Answers answers) {
        String string() {
            return new String(text, ISO_8859_1);
        }
    }

    final List<Row> rows = new ArrayList<>();
    final List<Row> unanswered = new ArrayList<>();
    boolean hasRoom = true;
    boolean answers = true;
    boolean closed;

    @Override
    public boolean hasRoom() {
        return hasRoom;
    }

    @Override
    public long waitingBytes() {
        return unanswered.stream().mapToLong(row -> row.text.length).sum();
    }

    @Override
    public long waitingBytesMax() {
        return 1 << 20;
    }

    @Override
    public void append(int partition, byte[] text, long wallMillis, Contents contents, Answers to) {
        Row row = new Row(partition, text, wallMillis, contents, to);
        rows.add(row);
        unanswered.add(row);
        if (answers) {
            acknowledge();
        }
    }

    void acknowledge() {
        unanswered.forEach(row -> row.answers.acknowledged(row.contents));
        unanswered.clear();
    }

    void fail() {
        List<Row> failed = List.copyOf(unanswered);
        unanswered.clear();
        rows.removeAll(failed);
        failed.forEach(row -> row.answers.failed(row.contents, new TimeoutException("nobody answers")));
    }

    /** The lines of all records of a partition since the last call of {@link #clear}. */
    List<String> lines(int partition) {
        return rows.stream()
                .filter(row -> row.partition == partition)
                .flatMap(row -> row.string().lines())
                .toList();
    }

    void clear() {
        rows.clear();
    }

    @Override
    public void endWithin(long millis) {
        // Nothing waits here.
    }

    @Override
    public void close() {
        closed = true;
        fail();
    }
}
