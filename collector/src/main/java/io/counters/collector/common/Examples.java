package io.counters.collector.common;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The latest line of each of the last senders, in a fixed space. A sender of many lines has one place, and an address that
 * sends from always new ports replaces its own places, not those of others. Allocates only when a place is used for the
 * first time. For one thread.
 */
final class Examples {
    private static final int PLACES = 8;

    /** One more than the log shows, so that the log can show that a line was cut. */
    private static final int LINE_BYTES_MAX = FaultLog.SHOWN_BYTES_MAX + 1;

    private final Place[] places = new Place[PLACES];
    private int size;

    private static final class Place {
        String protocol = "";
        long addressKey;
        int port;
        long lines;
        long nanos;
        int length;
        final byte[] line = new byte[LINE_BYTES_MAX];

        boolean isOf(LineSender sender) {
            return addressKey == sender.addressKey() && protocol.equals(sender.protocol());
        }

        /** Whether the line has the same name, up to its colon. */
        boolean hasName(byte[] in, int begin, int end) {
            return Arrays.equals(line, 0, nameEnd(line, 0, length), in, begin, nameEnd(in, begin, end));
        }

        private static int nameEnd(byte[] in, int begin, int end) {
            int at = begin;
            while (at < Math.min(end, begin + LINE_BYTES_MAX) && in[at] != ':') {
                at++;
            }
            return at;
        }

        RejectedLines.Example example(long nowNanos) {
            return new RejectedLines.Example(
                    sender(),
                    lines,
                    Math.max(0, TimeUnit.NANOSECONDS.toSeconds(nowNanos - nanos)),
                    FaultLog.shown(line, 0, length));
        }

        String sender() {
            return protocol + " from " + AddressKey.text(addressKey) + (port == 0 ? "" : ":" + port);
        }
    }

    /** Keeps {@code in[begin, end)}, the example of {@code times} lines. */
    void add(LineSender sender, long times, byte[] in, int begin, int end, long nowNanos) {
        Place place = place(sender, in, begin, end);
        place.protocol = sender.protocol();
        place.addressKey = sender.addressKey();
        place.port = sender.port();
        place.lines += times;
        place.nanos = nowNanos;
        place.length = Math.min(end - begin, LINE_BYTES_MAX);
        System.arraycopy(in, begin, place.line, 0, place.length);
    }

    private Place place(LineSender sender, byte[] in, int begin, int end) {
        Place same = null;
        for (int i = 0; i < size; i++) {
            Place place = places[i];
            if (place.isOf(sender)) {
                if (place.port == sender.port() && place.port != 0) {
                    return place;
                }
                if (place.hasName(in, begin, end)) {
                    same = place;
                }
            }
        }
        if (same != null) {
            return same;
        }
        if (size < PLACES) {
            places[size] = new Place();
            return places[size++];
        }
        Place gone = leastMissed();
        gone.lines = 0;
        return gone;
    }

    /** The oldest place of the address that has the most places. */
    private Place leastMissed() {
        Place gone = places[0];
        int goneShare = share(gone);
        for (int i = 1; i < PLACES; i++) {
            int share = share(places[i]);
            if (share > goneShare || (share == goneShare && places[i].nanos - gone.nanos < 0)) {
                gone = places[i];
                goneShare = share;
            }
        }
        return gone;
    }

    private int share(Place of) {
        int share = 0;
        for (Place place : places) {
            share += place.addressKey == of.addressKey ? 1 : 0;
        }
        return share;
    }

    /** All examples, the latest first. */
    List<RejectedLines.Example> all(long nowNanos) {
        return latest().map(place -> place.example(nowNanos)).toList();
    }

    /** The lines of other senders than this one since then, for the log; empty if there are none. */
    String others(LineSender than, long sinceNanos, int placesMax) {
        List<String> said = new ArrayList<>();
        latest().filter(place -> place.nanos - sinceNanos >= 0 && !(place.isOf(than) && place.port == than.port()))
                .limit(placesMax)
                .forEach(
                        place -> said.add(place.sender() + " \"" + FaultLog.shown(place.line, 0, place.length) + "\""));
        return said.isEmpty() ? "" : "; latest lines of other senders: " + String.join(", ", said);
    }

    private Stream<Place> latest() {
        return Arrays.stream(places, 0, size).sorted((one, other) -> Long.signum(other.nanos - one.nanos));
    }
}
