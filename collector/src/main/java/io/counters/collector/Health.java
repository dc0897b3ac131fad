package io.counters.collector;

import io.counters.collector.dashboard.PartState;
import io.counters.collector.ledger.LedgerView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Whether this collector is alive, for {@code /healthz}, and whether it can do all of its work, for {@code /readyz}. That its
 * threads live need not be asked, because the process ends when one of them does, but they may hang. Who asks waits for
 * nothing: loops look once a second, and only what they found is read.
 */
final class Health {
    /** Trouble is told of when it has lasted so long. */
    private static final long TOLD_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final long DISK_BYTES_MIN = 64 << 20;

    private final LongFunction<Optional<String>> uncommitted;
    private final Supplier<List<String>> hangs;
    private final LedgerView counted;
    private final LongSupplier nanoClock;
    private final LongSupplier wallSeconds;
    private volatile long diskBytesLeft;
    private final List<Part> parts = new ArrayList<>();
    private volatile long lockedNanos;
    private volatile long lookedNanos;

    /** A part that may be in trouble; looked at by one thread. */
    private static final class Part {
        private record Trouble(String text, long sinceNanos) {}

        private final String name;
        private final Supplier<Optional<String>> source;
        private volatile Optional<Trouble> trouble = Optional.empty();
        private volatile PartState state;

        Part(String name, Supplier<Optional<String>> source, long second) {
            this.name = name;
            this.source = source;
            state = new PartState(name, Optional.empty(), second);
        }

        void look(long now, long second) {
            Optional<Trouble> before = trouble;
            trouble = source.get()
                    .map(text ->
                            new Trouble(text, before.map(Trouble::sinceNanos).orElse(now)));
            Optional<String> text = trouble.map(Trouble::text);
            boolean hasTurned = text.isPresent() != state.trouble().isPresent();
            state = new PartState(name, text, hasTurned ? second : state.sinceSecond());
        }

        Optional<String> text(long now) {
            return trouble.filter(known -> now - known.sinceNanos >= TOLD_NANOS)
                    .map(known -> known.text + ", for " + seconds(now - known.sinceNanos));
        }
    }

    /**
     * @param hangs the threads of this process that do not go on, a line each; it does not wait
     * @param uncommitted what keeps the ledger from being committed, at a time of the nano clock; it does not wait
     * @param diskBytes what the disk of the data folder has left
     * @param withoutDisk what happens soon when it is full
     * @param parts the store and the sinks by name: what keeps each from its work, if something does
     * @param wallSeconds the wall clock
     */
    Health(
            Supplier<List<String>> hangs,
            LongFunction<Optional<String>> uncommitted,
            LedgerView counted,
            LongSupplier diskBytes,
            String withoutDisk,
            Map<String, Supplier<Optional<String>>> parts,
            LongSupplier nanoClock,
            LongSupplier wallSeconds) {
        this.hangs = hangs;
        this.uncommitted = uncommitted;
        this.counted = counted;
        this.nanoClock = nanoClock;
        this.wallSeconds = wallSeconds;
        long second = wallSeconds.getAsLong();
        parts.forEach((name, source) -> this.parts.add(new Part(name, source, second)));
        this.parts.add(new Part("disk", () -> disk(diskBytes.getAsLong(), withoutDisk), second));
        lockedNanos = nanoClock.getAsLong();
        lookedNanos = lockedNanos;
    }

    private Optional<String> disk(long bytes, String consequence) {
        diskBytesLeft = bytes;
        return bytes >= DISK_BYTES_MIN
                ? Optional.empty()
                : Optional.of("the disk of the data folder has " + (bytes >> 20) + " MB left, less than "
                        + (DISK_BYTES_MIN >> 20) + "; free some, or " + consequence + " soon");
    }

    private static String seconds(long nanos) {
        return TimeUnit.NANOSECONDS.toSeconds(nanos) + " s";
    }

    /** Looks at the parts and the disk, once a second; by a thread of its own, because a disk may hang. */
    void lookAtParts() {
        parts.forEach(part -> part.look(nanoClock.getAsLong(), wallSeconds.getAsLong()));
        lookedNanos = nanoClock.getAsLong();
    }

    /** What the disk of the data folder had left when it was last looked at. */
    long diskBytesLeft() {
        return diskBytesLeft;
    }

    /** The store, the sinks and the disk, as last looked at. From any thread. */
    List<PartState> parts() {
        return parts.stream().map(part -> part.state).toList();
    }

    /** Takes the ledger's lock, once a second. */
    void lookAtLock() {
        counted.size();
        lockedNanos = nanoClock.getAsLong();
    }

    /**
     * What a restart would cure, a line each; empty when the process is well. A disk that fails or hangs is none of it: counts
     * that are not yet on disk would be lost. From any thread.
     */
    List<String> faults() {
        long age = nanoClock.getAsLong() - lockedNanos;
        List<String> faults = new ArrayList<>(hangs.get());
        if (age > TOLD_NANOS) {
            faults.add("the ledger's lock could not be taken for " + seconds(age));
        }
        return faults;
    }

    /** What keeps the collector from some of its work, a line each: {@link #faults} and what is wrong around it. */
    List<String> troubles() {
        long now = nanoClock.getAsLong();
        List<String> troubles = new ArrayList<>(faults());
        uncommitted.apply(now).ifPresent(troubles::add);
        long age = now - lookedNanos;
        if (age > TOLD_NANOS) {
            troubles.add("the store, the sinks and the disk could not be looked at for " + seconds(age)
                    + "; the disk of the data folder does not answer");
        }
        parts.forEach(part -> part.text(now).ifPresent(troubles::add));
        return troubles;
    }
}
