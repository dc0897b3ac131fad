package io.counters.collector.history;

import io.counters.collector.common.Bytes;

/**
 * The open block of a series at one resolution: its bytes as a row of table block, and what the next change refers to. All
 * numbers are those of {@link Bytes}, signed ones zigzag.
 *
 * <pre>
 *   block     number: step in seconds * 2, + 1 if the value before is known
 *             signed: the value before its first change; 0 where it is not known
 *             changes
 *   change    a byte: bit 0: the distance follows; bits 1 to 6: the lowest of what follows; bit 7: there is more of it
 *             number: zigzag of (this delta - the delta before), the bits from 6 on
 *             number: the distance to the change before; steps * 2, or, where it is no multiple, seconds * 2 + 1
 *   without a distance: one step after the change before; the first change of a block is at the block's first second
 * </pre>
 *
 * A counter that moves regularly takes one or two bytes a change.
 */
final class OpenBlock {
    private static final int SIX_BITS = 0x3f;
    private static final int SIX = 6;
    private static final int MORE = 0x80;

    private final Bytes bytes = new Bytes();
    private final int stepSeconds;

    /** The number of the tick that began it. */
    final long firstTick;

    final long first;
    private final boolean continues;
    private final long before;
    private long last;
    private long value;
    private long delta;
    private boolean isEmpty = true;

    /**
     * A block whose first change is to be added at {@code second}.
     *
     * @param continues whether the value before is known
     */
    OpenBlock(int stepSeconds, long tick, long second, boolean continues, long before) {
        this.stepSeconds = stepSeconds;
        firstTick = tick;
        first = second;
        this.continues = continues;
        this.before = continues ? before : 0;
        last = second;
        value = this.before;
        bytes.addNumber(2L * stepSeconds + (continues ? 1 : 0));
        bytes.addSigned(this.before);
    }

    /** A block without a change: until {@code second} the series had this value. */
    static Block unchanged(int stepSeconds, long second, long value) {
        return new OpenBlock(stepSeconds, 0, second, true, value).block(second);
    }

    boolean continues() {
        return continues;
    }

    long before() {
        return before;
    }

    /** Adds the value that the series has from {@code second} on, which is later than the one before. */
    void add(long second, long next) {
        long nextDelta = next - value;
        long changed = Bytes.zigzag(nextDelta - delta);
        long distance = second - last;
        boolean isFar = !isEmpty && distance != stepSeconds;
        long rest = changed >>> SIX;
        bytes.add((isFar ? 1 : 0) | ((int) (changed & SIX_BITS) << 1) | (rest != 0 ? MORE : 0));
        if (rest != 0) {
            bytes.addNumber(rest);
        }
        if (isFar) {
            bytes.addNumber(distance % stepSeconds == 0 ? 2 * (distance / stepSeconds) : 2 * distance + 1);
        }
        last = second;
        value = next;
        delta = nextDelta;
        isEmpty = false;
    }

    int size() {
        return bytes.length();
    }

    /** The whole block, up to its last change. */
    Block block() {
        return block(last);
    }

    /** The whole block, up to a later second. */
    Block block(long until) {
        return new Block(first, Math.max(last, until), bytes.toArray());
    }
}
