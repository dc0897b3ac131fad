package io.counters.collector.ledger;

import io.counters.wire.Verb;
import java.util.function.Predicate;

/**
 * Adds what another ledger has counted.
 *
 * <p>An empty ledger becomes that part of the other one, with its ID, by which the store's stamp is recognized. Otherwise
 * a counter that is in both gets the sum. A stream that is in both has counted the same totals twice, up to the lower
 * watermark. They are taken off, and the higher watermark stays. That is exact only if the whole stream is known on both
 * sides, so what this ledger has forgotten since the other one ended may be contained in a counter that is in both.
 */
final class Addition {
    private final Side here;
    private final Side other;

    /** How much more time this ledger has spent listening than the other one. */
    private final long laterMillis;

    /** Counters below this number may contain totals of streams that are forgotten. */
    private final int doubtful;

    /** The head of this ledger with all of it. */
    private final Changes.Head head;

    /** The number here of each counter of the other ledger; negative for those that do not belong here. */
    private final int[] numbers;

    /** The parts of a ledger. */
    record Side(
            Changes.Head head,
            CounterTable counters,
            StreamTable streams,
            Projection projection,
            LastMoves moves,
            UsedSeconds published) {
        boolean isNew() {
            return head.commit() == 0;
        }

        /** The latest time, by the clock, at which a stream that is forgotten may have been heard. */
        long forgotMillis() {
            // It has listened for at most the time that has passed.
            return streams.hasForgotten()
                    ? head.clockMillis() - (head.listenedMillis() - streams.watchMillis())
                    : Long.MIN_VALUE;
        }

        /** The head of this ledger with the counters of the other one, as whose stamp the store's must be recognized. */
        Changes.Head with(Side other) {
            if (isNew()) {
                return other.isNew() ? head : other.head;
            }
            return counters.size() > 0
                    ? head
                    : new Changes.Head(
                            other.head.id(),
                            Math.max(head.commit(), other.head.commit()),
                            head.clockMillis(),
                            head.listenedMillis(),
                            head.watchMillis(),
                            head.adopts());
        }
    }

    Addition(Side here, Side other) {
        this.here = here;
        this.other = other;
        head = here.with(other);
        laterMillis = head.listenedMillis() - other.head.listenedMillis();
        // If it has forgotten no stream since then, none that it does not know has moved here.
        doubtful = here.forgotMillis() > other.head.clockMillis() ? here.counters.size() : 0;
        numbers = new int[other.counters.size()];
    }

    /**
     * Adds all of it.
     *
     * @param belongs by a counter's name
     * @param isHome by a stream's ID
     * @return the head of this ledger from now on
     */
    Changes.Head run(Predicate<String> belongs, Predicate<String> isHome) {
        if (here.isNew()) {
            here.streams.takeOver(head.listenedMillis());
        }
        if (other.streams.hasForgotten()) {
            here.streams.watchSince(other.streams.watchMillis() + laterMillis);
        }
        if (!other.projection.adopts()) {
            here.projection.adoptNothingNew();
        }
        here.published.addAll(other.published);
        for (int of = 0; of < numbers.length; of++) {
            numbers[of] = belongs.test(other.counters.name(of)) ? add(row(of)) : -1;
        }
        for (InboundStream of : other.streams.all()) {
            InboundStream stream = here.streams.find(of.sender);
            boolean isInBoth = stream != null;
            if (stream == null) {
                stream = here.streams.add(of);
                stream.heardMillis = of.heardMillis + laterMillis;
            } else if (!stream.whole || !of.whole || stream.quarantined || of.quarantined) {
                throw new IllegalArgumentException("the stream " + of.sender + " is in both, and one of them does not"
                        + " know all of it, so what both have counted cannot be told");
            }
            stream.heardMillis = Math.max(stream.heardMillis, of.heardMillis + laterMillis);
            stream.said += of.said;
            if (isHome.test(of.sender)) {
                stream.healed = Values.sum(stream.healed, of.healed);
                stream.arrivals = stream.arrivals.plus(of.arrivals);
            }
            addWatermarks(stream, of, isInBoth);
        }
        return head;
    }

    /** A counter of the other ledger, under the next number here. */
    private Changes.CounterRow row(int of) {
        CounterFacts facts = other.counters.facts();
        return new Changes.CounterRow(
                here.counters.size(),
                other.counters.name(of),
                other.counters.value(of),
                other.counters.rest(of),
                other.projection.isClaimed(of),
                CounterFacts.second(facts.createdSecond(of)),
                CounterFacts.second(other.moves.second(of)),
                facts.isDecremented(of),
                facts.isRemoved(of),
                facts.adopted(of));
    }

    /** @return its number here */
    private int add(Changes.CounterRow row) {
        int counter = here.counters.find(row.name());
        if (counter < 0) {
            here.counters.append(row);
            here.projection.restore(row.isClaimed());
            here.moves.restore(row.id(), row.moved());
            here.moves.note(row.id());
            return row.id();
        }
        if (here.counters.facts().adopted(counter) != 0 || row.adopted() != 0) {
            throw new IllegalArgumentException(
                    "the counter " + row.name() + " is in both, and in one of them it began with"
                            + " a value from the store, in which the other's may be contained");
        }
        here.counters.add(counter, row);
        if (row.isClaimed()) {
            here.projection.disown(counter);
        }
        return counter;
    }

    private void addWatermarks(InboundStream stream, InboundStream of, boolean isInBoth) {
        for (int place = 0; place < of.size(); place++) {
            int counter = numbers[of.counterAt(place)];
            if (counter >= 0 && counter < doubtful && !isInBoth) {
                throw new IllegalArgumentException("the counter " + here.counters.name(counter)
                        + " is in both, and may contain what the stream " + of.sender + " has counted, because streams"
                        + " were forgotten since the other ledger's collector was stopped");
            }
            if (counter >= 0) {
                int known = place(stream, counter, of, place);
                for (Verb verb : Verb.values()) {
                    long mine = stream.watermarkAt(known, verb);
                    long others = of.watermarkAt(place, verb);
                    if (isInBoth && Math.min(mine, others) > 0) {
                        here.counters.addTo(counter, -verb.signed(Math.min(mine, others)));
                    }
                    stream.setWatermarkAt(known, verb, Math.max(mine, others));
                }
            }
        }
    }

    /** The place of this counter's watermarks here. */
    private int place(InboundStream stream, int counter, InboundStream of, int placeThere) {
        int known = stream.place(counter);
        if (known < 0) {
            known = here.streams.addPlace(stream, counter);
            stream.setUncountedAt(known, of.uncountedAt(placeThere));
        } else if (stream.uncountedAt(known) != 0 || of.uncountedAt(placeThere) != 0) {
            throw new IllegalArgumentException("the counter " + here.counters.name(counter)
                    + " was removed, and the stream " + of.sender + ", which is in both, has counted in it");
        }
        return known;
    }
}
