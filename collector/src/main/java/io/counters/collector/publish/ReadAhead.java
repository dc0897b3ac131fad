package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Ticks in memory, from when they are read until they are confirmed. Something else has them until then, such as a fleet's
 * topic, so that nothing is lost with this program; it must read no further while there is no room here. For any thread.
 */
final class ReadAhead implements Backlog {
    /** What a tick takes beyond its bodies: a fleet's may have few points, and there may be thousands of them. */
    private static final int TICK_BYTES = 512;

    private final String origin;
    private final Set<ReadTick> ticks = new LinkedHashSet<>();
    private long bytes;
    private long points;

    /** @param origin what has the ticks until they are confirmed, for the log */
    ReadAhead(String origin) {
        this.origin = origin;
    }

    private final class ReadTick implements TickBodies {
        private final long second;
        private final int points;
        private final Runnable done;
        private final List<Place> places = new ArrayList<>();
        private final List<byte @Nullable []> bodies = new ArrayList<>();

        /** Of bodies that may be read again. */
        private long bytes;

        ReadTick(long second, int points, Runnable done) {
            this.second = second;
            this.points = points;
            this.done = done;
        }

        void add(byte[] body, int count) {
            places.add(new Place(bodies.size(), body.length, count));
            bodies.add(body);
            bytes += body.length;
        }

        @Override
        public long second() {
            return second;
        }

        @Override
        public int points() {
            return points;
        }

        @Override
        public long bytes() {
            synchronized (ReadAhead.this) {
                return bytes;
            }
        }

        @Override
        public List<Place> places() {
            return Collections.unmodifiableList(places);
        }

        @Override
        public byte[] read(Place place) {
            synchronized (ReadAhead.this) {
                byte[] body = bodies.get((int) place.at());
                if (body == null) {
                    throw new IllegalStateException("a body was sent already");
                }
                return body;
            }
        }

        @Override
        public void sent(Place place) {
            synchronized (ReadAhead.this) {
                byte[] body = bodies.set((int) place.at(), null);
                if (body != null) {
                    bytes -= body.length;
                    ReadAhead.this.bytes -= body.length;
                }
            }
        }
    }

    @Override
    public synchronized List<TickBodies> ticks() {
        return List.copyOf(ticks);
    }

    @Override
    public TickBodies write(long second, Snapshot values, TickPacker packer, Runnable done) throws IOException {
        ReadTick tick = new ReadTick(second, values.size(), done);
        packer.write(second, values, tick::add);
        synchronized (this) {
            ticks.add(tick);
            bytes += tick.bytes + TICK_BYTES;
            points += tick.points;
        }
        return tick;
    }

    /** Calls the tick's {@code done}. */
    @Override
    public void remove(TickBodies removed) {
        if (removed instanceof ReadTick tick) {
            synchronized (this) {
                if (!ticks.remove(tick)) {
                    return;
                }
                bytes -= tick.bytes + TICK_BYTES;
                points -= tick.points;
            }
            tick.done.run();
        }
    }

    @Override
    public synchronized long bytes() {
        return bytes;
    }

    @Override
    public synchronized long points() {
        return points;
    }

    @Override
    public String toString() {
        return origin;
    }
}
