package io.counters.collector.history;

import io.counters.collector.common.Bytes;

/**
 * Changes of one series over some time, as {@link OpenBlock} wrote them.
 *
 * @param first the second of its first change
 * @param last the last second whose value it gives, at least that of its last change
 * @param bytes as in table block
 */
@SuppressWarnings("ArrayRecordComponent") // Handed on at once, never compared.
record Block(long first, long last, byte[] bytes) {
    private static final long SIX_BITS = 0x3f;
    private static final int SIX = 6;
    private static final int MORE = 0x80;

    Cursor cursor() {
        return new Cursor(this);
    }

    /** The number of changes; in a damaged block, of those that can be read. */
    int size() {
        int size = 0;
        try {
            Cursor cursor = cursor();
            for (; cursor.hasNext(); cursor.next()) {
                size++;
            }
        } catch (DamagedHistory cutOff) {
            // A reader reports the damage.
        }
        return size;
    }

    /** Reads the changes one after the other. */
    static final class Cursor {
        private final Bytes.Reader in;
        private final boolean continues;
        private final long stepSeconds;
        private final long before;
        private long second;
        private long value;
        private long delta;
        private boolean isFirst = true;

        /** Reads what precedes the changes; throws as {@link #next} does if that is cut off. */
        private Cursor(Block block) {
            in = new Bytes.Reader(block.bytes, DamagedHistory::new);
            long head = in.number();
            continues = (head & 1) != 0;
            stepSeconds = head >>> 1;
            before = in.signed();
            second = block.first;
            value = before;
        }

        /** Whether the value just before it is known: the series was kept then, too. */
        boolean continues() {
            return continues;
        }

        /** The value before its first change. */
        long before() {
            return before;
        }

        boolean hasNext() {
            return in.hasMore();
        }

        /**
         * Goes to the next change.
         *
         * @throws DamagedHistory where the bytes are cut off
         */
        void next() {
            int begin = in.next();
            long changed = (begin >>> 1) & SIX_BITS;
            if (begin >= MORE) {
                changed |= in.number() << SIX;
            }
            delta += Bytes.unZigzag(changed);
            value += delta;
            boolean isFar = (begin & 1) != 0;
            if (isFar) {
                long distance = in.number();
                second += (distance & 1) != 0 ? distance >>> 1 : (distance >>> 1) * stepSeconds;
            } else if (!isFirst) {
                second += stepSeconds;
            }
            isFirst = false;
        }

        long second() {
            return second;
        }

        long value() {
            return value;
        }
    }
}
