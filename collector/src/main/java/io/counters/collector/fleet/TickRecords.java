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
 *   | byte, 1 | long           | int, 0.. | int      | int      |
 *   +---------+----------------+----------+----------+----------+
 *   +--------+----------------+-----------------------------+-------+
 *   | number | length of name | name, in its canonical form | value |
 *   | int    | short          | length bytes                | long  |
 *   +--------+----------------+-----------------------------+-------+
 * </pre>
 *
 * A counter's number is the partition's ledger's, so it is the same whoever owns the partition. Numbers ascend.
 */
final class TickRecords {
    /** The most bytes of a record. Kafka's default for a request is 1 MB. */
    static final int BYTES_MAX = 512 * 1024;

    private static final byte FORMAT = 1;
    private static final long[] NO_VALUES = {};
    private static final Snapshot EMPTY = new Snapshot(new String[0], NO_VALUES, 0);
    private static final int PARTS_AT = 1 + Long.BYTES + Integer.BYTES;
    private static final int COUNTERS_AT = PARTS_AT + Integer.BYTES;
    private static final int HEADER_BYTES = COUNTERS_AT + Integer.BYTES;
    private static final int COUNTER_BYTES = Integer.BYTES + Short.BYTES + Long.BYTES;

    private TickRecords() {}

    /**
     * The values of records, in their order; none if there are no counters.
     *
     * @param second Unix time
     * @param values of the partition's counters
     */
    @SuppressWarnings("ByteBufferBackingArray") // Each record was allocated with an array of its own.
    static List<byte[]> write(long second, Snapshot values) {
        List<ByteBuffer> records = new ArrayList<>();
        for (int counter = 0; counter < values.size(); ) {
            int first = counter;
            int bytes = HEADER_BYTES;
            while (counter < values.size()) {
                bytes += COUNTER_BYTES + values.names()[counter].length();
                if (bytes > BYTES_MAX) {
                    break;
                }
                counter++;
            }
            records.add(record(second, records.size(), values, first, counter));
        }
        return records.stream()
                .map(record -> record.putInt(PARTS_AT, records.size()).array())
                .toList();
    }

    private static ByteBuffer record(long second, int part, Snapshot values, int first, int end) {
        int bytes = HEADER_BYTES;
        for (int counter = first; counter < end; counter++) {
            bytes += COUNTER_BYTES + values.names()[counter].length();
        }
        ByteBuffer record = ByteBuffer.allocate(bytes);
        record.put(FORMAT).putLong(second).putInt(part).putInt(0).putInt(end - first);
        for (int counter = first; counter < end; counter++) {
            byte[] name = values.names()[counter].getBytes(ISO_8859_1);
            record.putInt(values.number(counter));
            record.putShort((short) name.length).put(name).putLong(values.values()[counter]);
        }
        return record;
    }

    /** The values of all counters of a partition at one second. */
    record Tick(long second, Snapshot values) {}

    /** A record is not one of a tick. */
    static final class Unreadable extends IOException {
        private static final long serialVersionUID = 1;

        Unreadable(String why) {
            super(why);
        }
    }

    /**
     * Reads the records of one partition, one after the other, and returns ticks that are complete. Names that a tick has in
     * common with the one before are the same strings, in the same array if all are. For one thread.
     */
    static final class Reader {
        private Snapshot before = EMPTY;

        /** Where in it a counter with the next number may be. */
        private int cursor;

        private String[] names = {};
        private int[] numbers = {};
        private long[] values = NO_VALUES;
        private int size;
        private long second;
        private int next;
        private int parts;
        private long lostPoints;

        /**
         * Reads the next record.
         *
         * @return the tick that is complete with it; null if there is none, because more parts follow, or because earlier ones
         *     are missing
         * @throws Unreadable if it is not a record of a tick, so that its tick is left out
         */
        @Nullable
        Tick read(byte[] value) throws Unreadable {
            ByteBuffer record = ByteBuffer.wrap(value);
            try {
                byte format = record.get();
                if (format != FORMAT) {
                    throw new Unreadable("its format is " + format + ", this version reads " + FORMAT);
                }
                return read(record);
            } catch (BufferUnderflowException | NegativeArraySizeException cutOff) {
                leaveOut();
                throw new Unreadable("it is cut off: bytes: " + value.length);
            } catch (Unreadable why) {
                leaveOut();
                throw why;
            }
        }

        private @Nullable Tick read(ByteBuffer record) throws Unreadable {
            long of = record.getLong();
            int part = record.getInt();
            int in = record.getInt();
            int counters = record.getInt();
            if (part < 0 || part >= in || counters < 0 || counters > record.remaining() / COUNTER_BYTES) {
                throw new Unreadable("part " + part + " of " + in + " cannot have so many counters: " + counters);
            }
            if (part == 0) {
                leaveOut();
                second = of;
                parts = in;
            } else if (part != next || of != second || in != parts) {
                leaveOut();
                lostPoints += counters;
                return null;
            }
            room(size + counters);
            for (int i = 0; i < counters; i++) {
                int number = record.getInt();
                if (number < 0 || (size > 0 && number <= numbers[size - 1])) {
                    throw new Unreadable("counter " + number + " is not in order");
                }
                byte[] name = new byte[Short.toUnsignedInt(record.getShort())];
                record.get(name);
                numbers[size] = number;
                names[size] = string(number, name);
                values[size++] = record.getLong();
            }
            if (record.hasRemaining()) {
                throw new Unreadable("it has more bytes than its counters: " + record.remaining());
            }
            next = part + 1;
            return next < parts ? null : complete();
        }

        private void room(int wanted) {
            if (wanted > names.length) {
                int length = Math.max(wanted, parts == 1 ? wanted : 2 * names.length);
                names = Arrays.copyOf(names, length);
                numbers = Arrays.copyOf(numbers, length);
                values = Arrays.copyOf(values, length);
            }
        }

        private String string(int number, byte[] name) {
            while (cursor < before.size() && before.number(cursor) < number) {
                cursor++;
            }
            boolean isKnown =
                    cursor < before.size() && before.number(cursor) == number && isSame(name, before.names()[cursor]);
            return isKnown ? before.names()[cursor] : new String(name, ISO_8859_1);
        }

        private static boolean isSame(byte[] name, @Nullable String known) {
            if (known == null || known.length() != name.length) {
                return false;
            }
            for (int i = 0; i < name.length; i++) {
                if ((byte) known.charAt(i) != name[i]) {
                    return false;
                }
            }
            return true;
        }

        @SuppressWarnings("ReferenceEquality") // Equal names are the same strings.
        private Tick complete() {
            boolean isAsBefore = before.size() == size;
            for (int i = 0; isAsBefore && i < size; i++) {
                isAsBefore = names[i] == before.names()[i];
            }
            boolean areNumbersPlaces = size == 0 || numbers[size - 1] == size - 1;
            Snapshot all = isAsBefore
                    ? new Snapshot(before.names(), values, before.numbers(), size)
                    : new Snapshot(names, values, areNumbersPlaces ? null : numbers, size);
            // Without its values.
            before = new Snapshot(all.names(), NO_VALUES, all.numbers(), size);
            begin();
            return new Tick(second, all);
        }

        /** Forgets a tick of which no further part came. */
        private void leaveOut() {
            lostPoints += size;
            begin();
        }

        private void begin() {
            names = new String[0];
            numbers = new int[0];
            values = NO_VALUES;
            cursor = 0;
            size = 0;
            next = 0;
            parts = 0;
        }

        /** The points of ticks of which a part was missing or unreadable, as far as they were read, since the last call. */
        long takeLostPoints() {
            long lost = lostPoints;
            lostPoints = 0;
            return lost;
        }
    }
}
