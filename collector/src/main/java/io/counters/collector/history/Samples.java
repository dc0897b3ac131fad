package io.counters.collector.history;

/**
 * A counter's values over time. There is one sample for each tick that took place while the counter was kept, even if the
 * value did not change. A time without samples is a gap.
 *
 * @param stepSeconds how far apart samples usually are; newer ones may be closer, older ones farther apart
 * @param seconds Unix time, strictly ascending
 * @param values at these seconds
 */
@SuppressWarnings("ArrayRecordComponent") // Handed on at once, never compared.
public record Samples(String name, int stepSeconds, long[] seconds, long[] values) {
    public int size() {
        return seconds.length;
    }
}
