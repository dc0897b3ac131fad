package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.Bytes;
import io.counters.collector.ledger.Changes.CounterRow;
import io.counters.collector.ledger.Changes.Counters;
import io.counters.collector.ledger.Changes.Dropped;
import io.counters.collector.ledger.Changes.Facts;
import io.counters.collector.ledger.Changes.Head;
import io.counters.collector.ledger.Changes.Moves;
import io.counters.collector.ledger.Changes.StreamRow;
import io.counters.collector.ledger.Changes.Uncounted;
import io.counters.collector.ledger.Changes.Watermarks;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A ledger as records with keys, for a log that keeps the last record of each key. All records contain states, never
 * differences, so a record that is there twice, or that a later one follows, does no harm. A key is a letter, and after it
 * big-endian ints; a value is a sequence of {@link Bytes}' numbers, signed ones zigzag.
 *
 * <pre>
 *   key                    value
 *   h                      format, id, commit, clock, listened, watch (signed), adopts
 *   p                      the seconds that points were published for: first, last, step of each run (signed)
 *   n block                the names of the block's counters: of each its length and its bytes
 *   v block                how many values, the values (signed), bits: claimed
 *   r block                rests (signed)
 *   f block                created, bits: decremented, bits: removed, what was adopted (signed), if anything was
 *   m block                the seconds in which the counters last moved
 *   s stream               ID, bits 1 whole and 2 quarantined, heard, said, healed, of arrivals: before, highest, received,
 *                          repeated, window
 *   w stream, group        of each of the group's places: counter, increments + 1, decrements + 1, uncounted (signed)
 * </pre>
 *
 * <p>A block has {@value Values#BLOCK} counters by their numbers, a group {@value #WATERMARKS_AT_ONCE} watermarks by their places
 * in the stream, which never change. Bits are the number of bytes and the bytes. Without a value, a record means that the
 * stream was forgotten.
 */
public final class LedgerRecords {
    /** How many watermarks of a stream are in one record. */
    public static final int WATERMARKS_AT_ONCE = 16;

    private static final int FORMAT = 1;
    private static final char HEAD = 'h';
    private static final char PUBLISHED = 'p';
    private static final char NAMES = 'n';
    private static final char VALUES = 'v';
    private static final char RESTS = 'r';
    private static final char FACTS = 'f';
    private static final char MOVED = 'm';
    private static final char STREAM = 's';
    private static final char WATERMARKS = 'w';
    private static final int IS_WHOLE = 1;
    private static final int IS_QUARANTINED = 2;
    private static final byte[] NOTHING = {};

    private final Bytes value = new Bytes();
    private final Log log;

    /** Takes records. */
    @FunctionalInterface
    public interface Log {
        /**
         * Takes one record.
         *
         * @param value null if an earlier value of this key is no longer valid
         */
        void put(byte[] key, byte @Nullable [] value);
    }

    /** @param log for the records of one ledger */
    public LedgerRecords(Log log) {
        this.log = log;
    }

    // Writing

    /** Writes what has changed in a ledger since it was loaded, which is used for nothing else; see {@link Ledger#add}. */
    public void write(Ledger ledger) {
        Changes changes = ledger.changes(WATERMARKS_AT_ONCE);
        if (changes != null) {
            write(changes);
        }
    }

    /** Writes the changes; all of the records must be kept or none. For one thread. */
    public void write(Changes changes) {
        put(changes.head());
        put(changes.counters());
        put(changes.counters().facts());
        put(changes.moves());
        for (Dropped dropped : changes.dropped()) {
            log.put(key(STREAM, dropped.stream()), null);
            for (int group = 0; group * WATERMARKS_AT_ONCE < dropped.watermarks(); group++) {
                log.put(key(WATERMARKS, dropped.stream(), group), null);
            }
        }
        for (Watermarks watermarks : changes.streams()) {
            put(watermarks);
        }
        if (changes.published() != null) {
            for (UsedSeconds.Run run : changes.published()) {
                value.addSigned(run.first());
                value.addSigned(run.last());
                value.addSigned(run.step());
            }
            end(key(PUBLISHED));
        }
    }

    private void put(Head head) {
        value.addNumber(FORMAT);
        value.addNumber(head.id());
        value.addNumber(head.commit());
        value.addNumber(head.clockMillis());
        value.addNumber(head.listenedMillis());
        value.addSigned(head.watchMillis());
        value.addNumber(head.adopts() ? 1 : 0);
        end(key(HEAD));
    }

    private void put(Counters counters) {
        for (int block = Values.block(counters.known()); block * Values.BLOCK < counters.size(); block++) {
            int end = end(block, counters.size());
            if (end > counters.known()) {
                for (int counter = block * Values.BLOCK; counter < end; counter++) {
                    byte[] name = counters.names()[counter].getBytes(ISO_8859_1);
                    value.addNumber(name.length);
                    value.addAll(name);
                }
                end(key(NAMES, block));
            }
        }
        for (int i = 0; i < counters.blocks().length; i++) {
            int block = counters.blocks()[i];
            int begin = block * Values.BLOCK;
            int count = end(block, counters.size()) - begin;
            value.addNumber(count);
            for (int place = 0; place < count; place++) {
                value.addSigned(counters.values()[i][place]);
            }
            addBits(counters.claimed().get(begin, begin + count).toByteArray());
            end(key(VALUES, block));
            long[] rests = counters.rests()[i];
            if (rests != null) {
                for (int place = 0; place < count; place++) {
                    value.addSigned(rests[place]);
                }
                end(key(RESTS, block));
            }
        }
    }

    private static int end(int block, int size) {
        return Math.min((block + 1) * Values.BLOCK, size);
    }

    private void put(Facts facts) {
        for (int i = 0; i < facts.blocks().length; i++) {
            for (int created : facts.created()[i]) {
                value.addNumber(Integer.toUnsignedLong(created));
            }
            addBits(facts.decremented()[i]);
            addBits(facts.removed()[i]);
            long[] adopted = facts.adopted()[i];
            if (adopted != null) {
                for (long number : adopted) {
                    value.addSigned(number);
                }
            }
            end(key(FACTS, facts.blocks()[i]));
        }
    }

    private void put(Moves moves) {
        for (int i = 0; i < moves.blocks().length; i++) {
            for (int second : moves.seconds()[i]) {
                value.addNumber(Integer.toUnsignedLong(second));
            }
            end(key(MOVED, moves.blocks()[i]));
        }
    }

    private void put(Watermarks watermarks) {
        StreamRow row = watermarks.stream();
        if (watermarks.isRowChanged()) {
            byte[] id = row.sender().getBytes(ISO_8859_1);
            value.addNumber(id.length);
            value.addAll(id);
            value.addNumber((row.whole() ? IS_WHOLE : 0) | (row.quarantined() ? IS_QUARANTINED : 0));
            value.addNumber(row.heardMillis());
            value.addNumber(row.said());
            value.addNumber(row.healed());
            value.addNumber(row.arrivals().before());
            value.addNumber(row.arrivals().highest());
            value.addNumber(row.arrivals().received());
            value.addNumber(row.arrivals().repeated());
            value.addNumber(row.arrivals().window());
            end(key(STREAM, row.id()));
        }
        int uncounted = 0;
        for (int i = 0; i < watermarks.counters().length; i++) {
            int counter = watermarks.counters()[i];
            value.addNumber(counter);
            value.addNumber(watermarks.increments()[i] + 1);
            value.addNumber(watermarks.decrements()[i] + 1);
            boolean isUncounted = uncounted < watermarks.uncounted().counters().length
                    && watermarks.uncounted().counters()[uncounted] == counter;
            value.addSigned(isUncounted ? watermarks.uncounted().amounts()[uncounted++] : 0);
            int group = watermarks.places()[i] / WATERMARKS_AT_ONCE;
            if (i + 1 == watermarks.counters().length || watermarks.places()[i + 1] / WATERMARKS_AT_ONCE != group) {
                end(key(WATERMARKS, row.id(), group));
            }
        }
    }

    /** Whether a record with this key is of a stream or of watermarks. */
    public static boolean isOfStream(byte[] key) {
        return key[0] == STREAM || key[0] == WATERMARKS;
    }

    private void addBits(byte[] bits) {
        value.addNumber(bits.length);
        value.addAll(bits);
    }

    private void end(byte[] key) {
        log.put(key, value.toArray());
        value.clear();
    }

    private static byte[] key(char kind, int... numbers) {
        ByteBuffer key = ByteBuffer.allocate(1 + numbers.length * Integer.BYTES);
        key.put((byte) kind);
        for (int number : numbers) {
            key.putInt(number);
        }
        return key.array();
    }

    // Reading

    /**
     * Collects the records of a ledger, in the order in which they were written, from which any that a later one replaced may
     * be missing. For one thread at a time.
     */
    public static final class Collected implements Log {
        private boolean isEmpty = true;
        private byte @Nullable [] head;
        private byte[] published = NOTHING;
        private final SortedMap<Integer, byte[]> names = new TreeMap<>();
        private final SortedMap<Integer, byte[]> values = new TreeMap<>();
        private final SortedMap<Integer, byte[]> rests = new TreeMap<>();
        private final SortedMap<Integer, byte[]> facts = new TreeMap<>();
        private final SortedMap<Integer, byte[]> moved = new TreeMap<>();
        private final SortedMap<Integer, byte[]> streams = new TreeMap<>();
        private final SortedMap<Integer, SortedMap<Integer, byte[]>> watermarks = new TreeMap<>();

        /** @throws IllegalStateException if a record is not one of a ledger */
        @Override
        public void put(byte[] key, byte @Nullable [] of) {
            isEmpty &= of == null;
            ByteBuffer in = ByteBuffer.wrap(key);
            char kind = in.hasRemaining() ? (char) in.get() : 0;
            int first = in.remaining() >= Integer.BYTES ? in.getInt() : -1;
            int second = in.remaining() >= Integer.BYTES ? in.getInt() : -1;
            switch (kind) {
                case HEAD -> head = of;
                case PUBLISHED -> published = of == null ? NOTHING : of;
                case NAMES -> put(names, first, of);
                case VALUES -> put(values, first, of);
                case RESTS -> put(rests, first, of);
                case FACTS -> put(facts, first, of);
                case MOVED -> put(moved, first, of);
                case STREAM -> put(streams, first, of);
                case WATERMARKS -> put(watermarks.computeIfAbsent(first, fresh -> new TreeMap<>()), second, of);
                default -> throw damaged("it contains a record of the unknown kind " + (int) kind);
            }
        }

        private static void put(SortedMap<Integer, byte[]> records, int number, byte @Nullable [] of) {
            if (of == null) {
                records.remove(number);
            } else {
                records.put(number, of);
            }
        }

        /**
         * Fills the state of a new ledger, and returns it.
         *
         * @throws IllegalStateException if records contradict each other, or another version wrote them
         */
        public LedgerState load(LedgerState ledger) {
            if (head == null) {
                if (!isEmpty) {
                    throw MissingRecords.missing("it has no head");
                }
                return ledger;
            }
            Bytes.Reader in = reader(head);
            long format = in.number();
            if (format != FORMAT) {
                throw damaged("its format is " + format
                        + ", which a newer version of the collector has written, and this version reads " + FORMAT
                        + "; upgrade this collector");
            }
            MissingRecords.refuse(names, List.of(values, rests, facts, moved), streams, watermarks);
            ledger.set(new Head(in.number(), in.number(), in.number(), in.number(), in.signed(), in.number() != 0));
            loadPublished(ledger);
            loadCounters(ledger);
            loadStreams(ledger);
            return ledger;
        }

        private void loadPublished(LedgerState ledger) {
            List<UsedSeconds.Run> runs = new ArrayList<>();
            Bytes.Reader in = reader(published);
            while (in.hasMore()) {
                runs.add(new UsedSeconds.Run(in.signed(), in.signed(), in.signed()));
            }
            ledger.set(runs);
        }

        private void loadCounters(LedgerState ledger) {
            for (Map.Entry<Integer, byte[]> named : names.entrySet()) {
                int block = named.getKey();
                byte[] value = values.get(block);
                if (value == null) {
                    throw damaged("block " + block + " has names and no values");
                }
                Bytes.Reader name = reader(named.getValue());
                Bytes.Reader in = reader(value);
                long[] numbers = new long[in.size(Values.BLOCK)];
                for (int place = 0; place < numbers.length; place++) {
                    numbers[place] = in.signed();
                }
                BitSet claimed = bits(in);
                Bytes.Reader rest = reader(rests.getOrDefault(block, NOTHING));
                Bytes.Reader second = reader(moved.getOrDefault(block, NOTHING));
                Bytes.Reader fact = reader(facts.getOrDefault(block, NOTHING));
                int[] created = new int[Values.BLOCK];
                for (int place = 0; place < created.length && fact.hasMore(); place++) {
                    created[place] = (int) fact.number();
                }
                BitSet decremented = fact.hasMore() ? bits(fact) : new BitSet();
                BitSet removed = fact.hasMore() ? bits(fact) : new BitSet();
                for (int place = 0; place < numbers.length; place++) {
                    ledger.add(new CounterRow(
                            block * Values.BLOCK + place,
                            text(name),
                            numbers[place],
                            rest.hasMore() ? rest.signed() : 0,
                            claimed.get(place),
                            created[place],
                            second.hasMore() ? (int) second.number() : 0,
                            decremented.get(place),
                            removed.get(place),
                            fact.hasMore() ? fact.signed() : 0));
                }
            }
        }

        private void loadStreams(LedgerState ledger) {
            for (Map.Entry<Integer, byte[]> stream : streams.entrySet()) {
                Bytes.Reader in = reader(stream.getValue());
                String sender = text(in);
                long bits = in.number();
                long heard = in.number();
                long said = in.number();
                long healed = in.number();
                Arrivals arrivals = new Arrivals(in.number(), in.number(), in.number(), in.number(), in.number());
                StreamRow row = new StreamRow(
                        stream.getKey(),
                        sender,
                        (bits & IS_WHOLE) != 0,
                        (bits & IS_QUARANTINED) != 0,
                        heard,
                        said,
                        arrivals,
                        healed);
                Watermarks of = watermarks(row, watermarks.getOrDefault(stream.getKey(), new TreeMap<>()));
                for (int counter : of.counters()) {
                    if (counter < 0 || counter >= ledger.counters()) {
                        throw damaged(
                                "stream " + sender + " has a total of counter " + counter + ", which has no name");
                    }
                }
                ledger.add(of);
            }
        }

        private static Watermarks watermarks(StreamRow row, SortedMap<Integer, byte[]> groups) {
            int most = WATERMARKS_AT_ONCE * groups.size();
            int[] counters = new int[most];
            long[] increments = new long[most];
            long[] decrements = new long[most];
            long[] uncounted = new long[most];
            int size = 0;
            for (byte[] group : groups.values()) {
                for (Bytes.Reader in = reader(group); in.hasMore() && size < most; size++) {
                    counters[size] = (int) in.number();
                    increments[size] = in.number() - 1;
                    decrements[size] = in.number() - 1;
                    uncounted[size] = in.signed();
                }
            }
            int[] known = Arrays.copyOf(counters, size);
            return Watermarks.restored(
                    row,
                    known,
                    Arrays.copyOf(increments, size),
                    Arrays.copyOf(decrements, size),
                    new Uncounted(known, uncounted));
        }

        private static String text(Bytes.Reader in) {
            byte[] text = new byte[in.size(Short.MAX_VALUE)];
            for (int i = 0; i < text.length; i++) {
                text[i] = (byte) in.next();
            }
            return new String(text, ISO_8859_1);
        }

        private static BitSet bits(Bytes.Reader in) {
            byte[] bits = new byte[in.size(Values.BLOCK)];
            for (int i = 0; i < bits.length; i++) {
                bits[i] = (byte) in.next();
            }
            return BitSet.valueOf(bits);
        }

        private static Bytes.Reader reader(byte[] value) {
            return new Bytes.Reader(value, Collected::damaged);
        }

        private static IllegalStateException damaged(String what) {
            return new IllegalStateException(what);
        }
    }
}
