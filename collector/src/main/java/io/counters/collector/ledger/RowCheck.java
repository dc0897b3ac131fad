package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.ledger.Changes.StreamRow;
import java.nio.ByteBuffer;
import java.util.SortedMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Computes the checks of rows. SQLite has no checksums: if the disk changes a bit of a value, it reads another value. So each
 * row contains the CRC-32C of what it must contain:
 *
 * <pre>
 *   byte      number of the table
 *   columns   in their order, with the key:
 *               an integer    8 bytes, big-endian
 *               text, blob    number of bytes in 8 bytes, and the bytes; text in ISO-8859-1; NULL is like an empty one
 * </pre>
 *
 * <p>A row that comes to another place or into another table does not match its check either. The check covers what the reader
 * uses, not how the file encodes it. For one thread at a time.
 */
final class RowCheck {
    private static final int META = 0;

    private final CRC32C crc = new CRC32C();

    /** What was added since the CRC was updated last, because updating it costs more than the bytes do. */
    private final ByteBuffer waiting = ByteBuffer.allocate(128);

    int counter(int id, String name) {
        return of(CheckedTable.COUNTER.number).add(id).add(name).value();
    }

    int block(int id, byte @Nullable [] numbers, byte @Nullable [] claimed) {
        return of(CheckedTable.BLOCK.number).add(id).add(numbers).add(claimed).value();
    }

    int rest(int block, byte @Nullable [] numbers) {
        return of(CheckedTable.REST.number).add(block).add(numbers).value();
    }

    int fact(
            int block,
            byte @Nullable [] created,
            byte @Nullable [] decremented,
            byte @Nullable [] removed,
            byte @Nullable [] adopted) {
        return of(CheckedTable.FACT.number)
                .add(block)
                .add(created)
                .add(decremented)
                .add(removed)
                .add(adopted)
                .value();
    }

    int moved(int block, byte @Nullable [] seconds) {
        return of(CheckedTable.MOVED.number).add(block).add(seconds).value();
    }

    /**
     * @param watermarks how many rows of the table watermark belong to it
     * @param uncounted the same of the table uncounted, of those that are not 0
     */
    int stream(StreamRow row, int watermarks, int uncounted) {
        return of(CheckedTable.STREAM.number)
                .add(row.id())
                .add(row.sender())
                .add(row.whole() ? 1 : 0)
                .add(row.quarantined() ? 1 : 0)
                .add(row.heardMillis())
                .add(row.arrivals().before())
                .add(row.arrivals().highest())
                .add(row.arrivals().received())
                .add(row.arrivals().repeated())
                .add(row.arrivals().window())
                .add(row.healed())
                .add(watermarks)
                .add(uncounted)
                .value();
    }

    int watermark(int stream, int counter, long increments, long decrements) {
        return of(CheckedTable.WATERMARK.number)
                .add(stream)
                .add(counter)
                .add(increments)
                .add(decrements)
                .value();
    }

    int uncounted(int stream, int counter, long amount) {
        return of(CheckedTable.UNCOUNTED.number)
                .add(stream)
                .add(counter)
                .add(amount)
                .value();
    }

    int published(UsedSeconds.Run run) {
        return of(CheckedTable.PUBLISHED.number)
                .add(run.first())
                .add(run.last())
                .add(run.step())
                .value();
    }

    /** That of all rows of the table meta besides its own. */
    int meta(SortedMap<String, Long> rows) {
        of(META);
        rows.forEach((key, number) -> add(key).add(number));
        return value();
    }

    /** Begins with a row of the table with this number. */
    RowCheck of(int table) {
        crc.reset();
        waiting.clear();
        waiting.put((byte) table);
        return this;
    }

    /** Adds an integer. */
    RowCheck add(long number) {
        if (waiting.remaining() < Long.BYTES) {
            update();
        }
        waiting.putLong(number);
        return this;
    }

    /** Adds text. */
    RowCheck add(String text) {
        return add(text.getBytes(ISO_8859_1));
    }

    /** Adds a blob. */
    RowCheck add(byte @Nullable [] bytes) {
        if (bytes == null) {
            return add(0);
        }
        add(bytes.length);
        update();
        crc.update(bytes);
        return this;
    }

    private void update() {
        crc.update(waiting.array(), 0, waiting.position());
        waiting.clear();
    }

    /** The check of what was added. */
    int value() {
        update();
        return (int) crc.getValue();
    }
}
