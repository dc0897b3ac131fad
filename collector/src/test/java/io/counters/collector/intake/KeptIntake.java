package io.counters.collector.intake;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.tap.Tap;
import io.counters.collector.udp.Datagrams;
import io.counters.wire.StatsdName;
import java.io.IOException;
import java.nio.channels.DatagramChannel;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The parts of an intake over a real ledger, as most tests need them. */
final class KeptIntake {
    static final int NAME_BYTES_MAX = 250;

    private KeptIntake() {}

    /** A tap that nobody looks at. */
    static Tap closedTap() {
        return new Tap(InstantSource.system(), 0);
    }

    /** Lines whose StatsD names must be as the protocol says. */
    static Lines lines(KeptLedger kept) {
        return lines(kept, NAME_BYTES_MAX, StatsdName.strict());
    }

    static Lines lines(KeptLedger kept, int nameBytesMax, StatsdName statsdName) {
        return lines(kept, nameBytesMax, statsdName, Optional.empty());
    }

    static Lines lines(KeptLedger kept, int nameBytesMax, StatsdName statsdName, Optional<Keys> keys) {
        return new Lines(
                LineTarget.of(kept.ledger), nameBytesMax, statsdName, keys, closedTap(), kept.said.log(), kept.metrics);
    }

    /** A thread's work for one socket. */
    static DatagramReceiver receiver(KeptLedger kept, Datagrams socket, String metric) {
        return new DatagramReceiver(
                socket,
                Optional.empty(),
                kept.metrics.count(metric, "Datagrams received."),
                lines(kept),
                System::nanoTime,
                kept.said.log(),
                kept.metrics);
    }

    /** @param unix where the Unix socket is; null for none */
    static Intake open(KeptLedger kept, IntakeSettings settings, @Nullable Path unix, LongSupplier nanoClock)
            throws IOException {
        return open(kept, settings, Optional.empty(), unix, nanoClock);
    }

    /** @param inherited the UDP socket that another program holds open */
    static Intake open(
            KeptLedger kept,
            IntakeSettings settings,
            Optional<DatagramChannel> inherited,
            @Nullable Path unix,
            LongSupplier nanoClock)
            throws IOException {
        return new Intake(
                settings,
                inherited,
                Optional.ofNullable(unix),
                Optional.empty(),
                LineTarget.of(kept.ledger),
                closedTap(),
                Thread::new,
                nanoClock,
                kept.said.log(),
                kept.metrics);
    }
}
