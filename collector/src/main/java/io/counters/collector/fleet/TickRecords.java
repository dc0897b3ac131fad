package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A partition's tick as records of {@code PREFIX.ticks}: the value of each of its counters at one second. A tick that is
 * larger than {@value #BYTES_MAX} bytes has several records, one after the other, all in the transaction that records its
 * second. Numbers are big-endian.
 *
 * <pre>
 *   +---------+----------------+----------+----------+----------+
 *   | format  | second, Unix   | part     | parts    | counters |   then for each counter:
 *   | byte, 2 | long           | int, 0.. | int      | int      |
 *   +---------+----------------+----------+----------+----------+
 *   +--------+----------------+-----------------------------+-------+---------------+-------+
 *   | number | length of name | name, in its canonical form | value | created, Unix | marks |
 *   | int    | short          | length bytes                | long  | int, unsigned | byte  |
 *   +--------+----------------+-----------------------------+-------+---------------+-------+
 * </pre>
 *
 * A counter's number is the partition's ledger's, so it is the same whoever owns the partition. Numbers ascend. Marks are those
 * of {@link io.counters.collector.prometheus.SeriesMarks}. Format 1, which is still read, has no second of creation and no
 * marks.
 */
final class TickRecords {
    /** The most bytes of a record; a small one, because readers have the names of a few records in memory at a time. */
    static final int BYTES_MAX = 64 * 1024;

    /** Where no names are known. */
    static final Snapshot NOTHING = new Snapshot(new String[0], new long[0], 0);

    private static final byte WITHOUT_FACTS = 1;
    private static final byte FORMAT = 2;
    private static final int PARTS_AT = 1 + Long.BYTES + Integer.BYTES;
    private static final int HEADER_BYTES = PARTS_AT + Integer.BYTES + Integer.BYTES;
    private static final int COUNTER_BYTES = Integer.BYTES + Short.BYTES + Long.BYTES;
    private static final int FACT_BYTES = Integer.BYTES + Byte.BYTES;

    private TickRecords() {}

    /**
     * The values of records, in their order; none if there are no counters.
     *
     * @param second Unix time
     * @param values of the partition's counters
     */
    static List<byte[]> write(long second, Snapshot values) {
        List<byte[]> records = new ArrayList<>();
        Snapshot.Facts facts = values.facts();
        int fixed = COUNTER_BYTES + (facts == null ? 0 : FACT_BYTES);
        for (int first = 0, end = 0; first < values.size(); first = end) {
            int bytes = HEADER_BYTES;
            while (end < values.size() && bytes + fixed + values.names()[end].length() <= BYTES_MAX) {
                bytes += fixed + values.names()[end++].length();
            }
            ByteBuffer record = ByteBuffer.wrap(new byte[bytes]);
            record.put(facts == null ? WITHOUT_FACTS : FORMAT)
                    .putLong(second)
                    .putInt(records.size())
                    .putInt(0)
                    .putInt(end - first);
            for (int counter = first; counter < end; counter++) {
                byte[] name = values.names()[counter].getBytes(ISO_8859_1);
                record.putInt(values.number(counter));
                record.putShort((short) name.length).put(name).putLong(values.values()[counter]);
                if (facts != null) {
                    record.putInt(facts.createdSeconds()[counter]).put(facts.marks()[counter]);
                }
            }
            records.add(record.array());
        }
        records.forEach(record -> ByteBuffer.wrap(record).putInt(PARTS_AT, records.size()));
        return records;
    }

    /** A record of a tick: the values of all counters of a partition, or of the next ones, at one second. */
    record Tick(long second, int part, int parts, Snapshot values) {
        boolean isLast() {
            return part == parts - 1;
        }
    }

    /** A record is not one of a tick. */
    static final class Unreadable extends IOException {
        private static final long serialVersionUID = 1;

        Unreadable(String why) {
            super(why);
        }
    }

    /** Which part of its tick a record is, without its values. */
    static Tick head(byte @Nullable [] value) throws Unreadable {
        return read(value, NOTHING, true);
    }

    static Tick read(byte @Nullable [] value) throws Unreadable {
        return read(value, NOTHING, false);
    }

    /**
     * Reads a record.
     *
     * @param known counters by the same numbers; where a name is the same, it is the same string afterwards
     */
    static Tick read(byte[] value, Snapshot known) throws Unreadable {
        return read(value, known, false);
    }

    private static Tick read(byte @Nullable [] value, Snapshot known, boolean isHead) throws Unreadable {
        if (value == null) {
            throw new Unreadable("it has no value");
        }
        ByteBuffer record = ByteBuffer.wrap(value);
        try {
            byte format = record.get();
            if (format != FORMAT && format != WITHOUT_FACTS) {
                throw new Unreadable("its format is " + format
                        + ", which a newer version of the collector has written, and this version reads "
                        + WITHOUT_FACTS + " and " + FORMAT);
            }
            long second = record.getLong();
            int part = record.getInt();
            int parts = record.getInt();
            int size = record.getInt();
            if (part < 0 || part >= parts || size < 0 || size > record.remaining() / COUNTER_BYTES) {
                throw new Unreadable("part " + part + " of " + parts + " cannot have so many counters: " + size);
            }
            return new Tick(second, part, parts, isHead ? NOTHING : values(record, size, known, format == FORMAT));
        } catch (BufferUnderflowException cutOff) {
            throw new Unreadable("it is cut off: bytes: " + value.length);
        }
    }

    private static Snapshot values(ByteBuffer record, int size, Snapshot known, boolean hasFacts) throws Unreadable {
        String[] names = new String[size];
        int[] numbers = new int[size];
        long[] values = new long[size];
        int[] created = new int[hasFacts ? size : 0];
        byte[] marks = new byte[created.length];
        int place = 0;
        for (int i = 0; i < size; i++) {
            int number = record.getInt();
            if (number < 0 || (i > 0 && number <= numbers[i - 1])) {
                throw new Unreadable("counter " + number + " is not in order");
            }
            byte[] name = new byte[Short.toUnsignedInt(record.getShort())];
            record.get(name);
            while (place < known.size() && known.number(place) < number) {
                place++;
            }
            boolean isKnown = place < known.size()
                    && known.number(place) == number
                    && Arrays.equals(name, known.names()[place].getBytes(ISO_8859_1));
            names[i] = isKnown ? known.names()[place] : new String(name, ISO_8859_1);
            numbers[i] = number;
            values[i] = record.getLong();
            if (hasFacts) {
                created[i] = record.getInt();
                marks[i] = record.get();
            }
        }
        if (record.hasRemaining()) {
            throw new Unreadable("it has more bytes than its counters: " + record.remaining());
        }
        return new Snapshot(names, values, numbers, size, hasFacts ? new Snapshot.Facts(created, marks) : null);
    }
}
