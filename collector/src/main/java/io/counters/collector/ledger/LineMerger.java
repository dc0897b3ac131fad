package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.Metrics;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Merges lines: decides by the watermark how much of a line is applied, and applies it. The table in the package's Javadoc has
 * the rules. The ledger's lock protects it.
 */
final class LineMerger {
    /** The counter that takes the amounts of new names for which there is no room. */
    static final String OVERFLOW = "counters.overflow";

    /** Instead of an amount to apply: the total was applied before, or is refused. */
    private static final long NOTHING_NEW = -1;

    /** The names of the counters: each line is searched here, without the way through their table. */
    private final NameTable names;

    private final CounterTable counters;
    private final StreamTable streams;

    /** Has as many entries as there are counters. */
    private final Projection projection;

    private final LongAdder healed;
    private final LongAdder nothingNew;
    private final LongAdder quarantined;
    private final LongAdder inDoubt;
    private final LongAdder deferred;
    private final LongAdder overflowed;
    private final LongAdder refused;

    /** Each merge notes here what has interrupted it. */
    private final Interruption interruption;

    private long waiting;
    private long turnedAway;

    LineMerger(
            NameTable names,
            CounterTable counters,
            StreamTable streams,
            Projection projection,
            Interruption interruption,
            Metrics metrics) {
        this.names = names;
        this.counters = counters;
        this.streams = streams;
        this.projection = projection;
        this.interruption = interruption;
        healed = metrics.count(
                "ledger_healed_total", "Counts that a later total restored after their datagram was lost.");
        nothingNew = metrics.count("ledger_nothing_new_lines_total", "Lines with a total that was known already.");
        quarantined =
                metrics.count("ledger_quarantined_streams_total", "Streams whose total jumped by more than 2^53.");
        inDoubt = metrics.count(
                "ledger_in_doubt_total", "Amounts applied without knowing whether they had been applied before.");
        deferred = metrics.count(
                "ledger_deferred_lines_total",
                "Lines with a total that are not applied until their sender repeats them.");
        overflowed = metrics.count(
                "ledger_overflow_lines_total",
                "Lines counted as counters.overflow, because there was no room for their names.");
        refused = metrics.count(
                "ledger_refused_lines_total",
                "Lines with a total that had no room, or whose total jumped, and were refused because of --keys.");
    }

    /**
     * See {@code Ledger.merge}. What nearly every line needs is here, and what few lines need in methods of its own: the
     * JIT compiles this to one piece of code, which is slower the more values it has to keep.
     */
    long merge(@Nullable InboundStream stream, Verb verb, byte[] name, int begin, int end, long amount, long total) {
        InboundStream of = stream == null || stream.dropped || total == Commands.NO_TOTAL ? null : stream;
        int counter = names.find(name, begin, end);
        try {
            if (counter < 0 || (of != null && !of.remembered)) {
                return mergeNew(of, verb, counter, name, begin, end, amount, total);
            }
            return merge(of, verb, counter, amount, total);
        } catch (Throwable failure) {
            throw interruption.by(failure);
        }
    }

    /** Merges a line whose name or stream is new. */
    private long mergeNew(
            @Nullable InboundStream stream,
            Verb verb,
            int known,
            byte[] name,
            int begin,
            int end,
            long amount,
            long total) {
        InboundStream of = stream;
        boolean hasRoom = known >= 0 || counters.hasRoom(end - begin);
        if (of != null) {
            if (streams.waits(of) || (!hasRoom && waitsForRoom(of, end - begin))) {
                defer();
                return 0;
            }
            if (!hasRoom && streams.refusesWithoutRoom(of)) {
                refuse();
                return 0;
            }
            if (!of.remembered) {
                of = streams.remember(of);
                turnedAway += of == null ? 1 : 0;
            }
        }
        if (!hasRoom) {
            return overflow(of, verb, amount);
        }
        return merge(of, verb, known < 0 ? admit(name, begin, end) : known, amount, total);
    }

    private void defer() {
        deferred.increment();
        waiting++;
        turnedAway++;
    }

    /**
     * How many lines were not applied since the start, or not under their names, or without a watermark, because too much is
     * new, and how many put their streams into quarantine.
     */
    long turnedAway() {
        return turnedAway;
    }

    private void refuse() {
        refused.increment();
        waiting++;
        turnedAway++;
    }

    /** How many lines were not applied since the start, because they wait until they are repeated. */
    long waiting() {
        return waiting;
    }

    private int admit(byte[] name, int begin, int end) {
        projection.add();
        return counters.admit(name, begin, end);
    }

    private long merge(@Nullable InboundStream stream, Verb verb, int counter, long amount, long total) {
        long news = stream == null ? amount : news(stream, verb, counter, amount, total);
        if (news == NOTHING_NEW) {
            return 0;
        }
        counters.apply(counter, verb.signed(news));
        return news;
    }

    /** How much of a line with a total is to be applied. Raises the watermark to the total, if that is kept. */
    private long news(InboundStream stream, Verb verb, int counter, long amount, long total) {
        int place = stream.quarantined ? -1 : stream.place(counter);
        long watermark = place < 0 ? InboundStream.NONE : stream.watermarkAt(place, verb);
        if (total <= watermark) {
            if (stream.order != ClonedStreams.Order.OLDER) {
                streams.cloned.judge(stream, place, verb, total < watermark);
            }
            nothingNew.increment();
            return NOTHING_NEW;
        }
        streams.note(stream);
        if (watermark == InboundStream.NONE) {
            return first(stream, verb, counter, place, amount, total);
        }
        long news = total - watermark;
        if (news > CommandReader.AMOUNT_MAX) {
            return quarantine(stream, amount);
        }
        if (news > amount) {
            heal(stream, news - amount);
        }
        stream.setWatermarkAt(place, verb, total);
        return news;
    }

    /** The same for a total without a watermark. */
    private long first(InboundStream stream, Verb verb, int counter, int known, long amount, long total) {
        if (stream.quarantined) {
            // Its watermarks may be forged; its amounts still count.
            if (streams.refusesWithoutRoom(stream)) {
                refuse();
                return NOTHING_NEW;
            }
            count(inDoubt, amount);
            return amount;
        }
        if (total > CommandReader.AMOUNT_MAX) {
            return quarantine(stream, amount);
        }
        if (known < 0 && !streams.hasRoomForWatermark(stream)) {
            if (streams.refusesWithoutRoom(stream)) {
                refuse();
                return NOTHING_NEW;
            }
            turnedAway++;
            if (stream.whole && amount == 0) {
                return awaitRepetition(total);
            }
            stream.whole = false;
            return amount;
        }
        int place = known < 0 ? streams.addPlace(stream, counter) : known;
        stream.setWatermarkAt(place, verb, total);
        if (stream.whole) {
            heal(stream, total - amount);
            return total;
        }
        count(inDoubt, amount);
        stream.setUncountedAt(place, stream.uncountedAt(place) + verb.signed(total - amount));
        return amount;
    }

    /** A line whose total is all that it brings is not applied; nothing is missing if that is 0. */
    private long awaitRepetition(long total) {
        if (total > 0) {
            defer();
        }
        return NOTHING_NEW;
    }

    /** The jump is not applied, so the total is not kept. */
    private long quarantine(InboundStream stream, long amount) {
        if (streams.refusesWithoutRoom(stream)) {
            refuse();
            return NOTHING_NEW;
        }
        stream.quarantined = true;
        turnedAway++;
        quarantined.increment();
        count(inDoubt, amount);
        return amount;
    }

    private void heal(InboundStream stream, long missed) {
        count(healed, missed);
        stream.healed = Values.sum(stream.healed, missed);
    }

    /** Whether a total may wait for room for its name: it will be repeated, so nothing of it is lost. */
    private boolean waitsForRoom(InboundStream stream, int length) {
        return (stream.once || streams.isWhole(stream)) && !counters.isFull(length);
    }

    /** @param stream the stream of a line with a total; null for a line without one */
    private long overflow(@Nullable InboundStream stream, Verb verb, long amount) {
        if (stream != null) {
            stream.whole = false;
            streams.note(stream);
        }
        counters.apply(overflow(), verb.signed(amount));
        return amount;
    }

    private int overflow() {
        overflowed.increment();
        turnedAway++;
        int counter = counters.find(OVERFLOW);
        if (counter < 0) {
            projection.add();
            counter = counters.add(OVERFLOW.getBytes(ISO_8859_1), 0, OVERFLOW.length());
        }
        return counter;
    }

    /** See {@code Ledger.merge}. */
    void merge(byte[] name, int begin, int end, long integer, long rest) {
        int counter = counters.find(name, begin, end);
        try {
            if (counter < 0 && counters.hasRoom(end - begin)) {
                counter = admit(name, begin, end);
            } else if (counter < 0) {
                counter = overflow();
            }
            counters.apply(counter, integer, rest);
        } catch (Throwable failure) {
            throw interruption.by(failure);
        }
    }

    /** Adds an amount to a count, which stops at the end of the range. The lock excludes other writers. */
    private static void count(LongAdder sum, long amount) {
        sum.add(Math.min(amount, Long.MAX_VALUE - sum.sum()));
    }
}
