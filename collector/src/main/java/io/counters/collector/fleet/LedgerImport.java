package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerFile;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries the ledger of a data folder over to a fleet that is stopped; {@link Importer} has the reasoning. */
public final class LedgerImport {
    private static final Logger log = LoggerFactory.getLogger(LedgerImport.class);

    /** In place of a collector's name. */
    private static final String INSTANCE = "counters-import";

    /** For a whole partition; brokers allow 15 minutes unless they are told otherwise. */
    static final int TRANSACTION_MILLIS = 300_000;

    private final FleetSettings settings;
    private final LedgerSettings bounds;
    private final long heapBytes;
    private final InstantSource clock;
    private final LongSupplier nanoClock;
    private final RandomGenerator random;
    private final SeededHash hashing;

    /**
     * Reads the settings.
     *
     * @param heapBytes this JVM's maximum heap, which stands for that of the fleet's collectors
     * @throws SettingsException with every error in the settings, of which it uses those of the fleet and of memory
     */
    public LedgerImport(
            Settings all, long heapBytes, InstantSource clock, LongSupplier nanoClock, RandomGenerator random)
            throws SettingsException {
        long spoolBytes = PublishSettings.from(all).spoolBytes();
        Optional<FleetSettings> fleet = Optional.empty();
        if (all.get(CollectorFlag.LEDGER, text -> text).startsWith(FleetSettings.SCHEME)) {
            fleet = FleetSettings.from(all, spoolBytes);
        } else {
            all.refuse(CollectorFlag.LEDGER, "but an import needs a fleet: kafka://HOST:PORT,HOST:PORT");
        }
        bounds = LedgerSettings.from(all, heapBytes);
        all.check();
        settings = fleet.orElseThrow().as(INSTANCE);
        this.heapBytes = heapBytes;
        this.clock = clock;
        this.nanoClock = nanoClock;
        this.random = random;
        hashing = new SeededHash(random);
    }

    /**
     * Imports it.
     *
     * @param from the data folder
     * @param adds whether it is added to what the fleet has counted
     * @return what was done
     * @throws IOException if it cannot be done, with the reason and the remedy
     */
    public String run(Path from, boolean adds) throws IOException {
        Path folder = from.toAbsolutePath().normalize();
        try (LedgerFile file = LedgerFile.existing(folder)) {
            String upgrade = file.upgrade();
            if (upgrade != null) {
                log.info("{}", upgrade);
            }
            return run(file, folder, adds);
        }
    }

    private String run(LedgerFile file, Path folder, boolean adds) throws IOException {
        try {
            if (file.isShared()) {
                throw new IOException(LedgerFile.SHARED);
            }
            long nowMillis = clock.millis();
            Ledger source = ledger(LedgerSettings.in(folder), file.load(state()), nowMillis);
            if (source.isNew()) {
                throw new IOException("nothing was ever counted in it");
            }
            return run(source, nowMillis, adds);
        } catch (IOException | KafkaException cannot) {
            throw new IOException("cannot import the ledger in " + folder + ": " + Faults.reason(cannot), cannot);
        }
    }

    private LedgerState state() {
        return new LedgerState(random.nextLong(), hashing);
    }

    private static Ledger ledger(LedgerSettings within, LedgerState state, long nowMillis) {
        return new Ledger(within, false, () -> nowMillis, () -> nowMillis / 1000, state, new Metrics());
    }

    private String run(Ledger source, long nowMillis, boolean adds) throws IOException {
        int partitions;
        try (FleetCheck check = new FleetCheck(settings)) {
            partitions = check.partitions();
            List<String> running = check.members().orElse(List.of()).stream()
                    .map(Member::name)
                    .filter(name -> !name.equals(settings.instance()))
                    .toList();
            if (!running.isEmpty()) {
                // Before it joins, which would take partitions away from them.
                throw new IOException("collectors of the fleet run: " + String.join(", ", running)
                        + "; stop all of them, and run the import again once their session (session.timeout.ms, 10 s by"
                        + " default) is over");
            }
        }
        LedgerSettings boundsOfEach = bounds.ofEach(partitions);
        FaultLog faults = new FaultLog(log, nanoClock);
        KafkaLoaderLog ledgers = new KafkaLoaderLog(settings, nanoClock);
        try {
            KafkaOwnerLog lines = new KafkaOwnerLog(
                    settings, "owner", Long.toHexString(random.nextLong()), TRANSACTION_MILLIS, nanoClock);
            try {
                int imported = new Importer(
                                lines,
                                new Loader(
                                        ledgers,
                                        partitions,
                                        records -> ledger(boundsOfEach, records.load(state()), nowMillis),
                                        nanoClock,
                                        faults),
                                partitions,
                                source,
                                adds,
                                heapBytes,
                                clock.millis() / 1000,
                                nanoClock)
                        .run();
                return "counters: " + source.size() + ", senders with totals: " + source.streams() + ", partitions: "
                        + imported
                        + (imported < partitions ? "; those that an interrupted import has left of " + partitions : "");
            } catch (InstanceTaken other) {
                throw new IOException("another import into this fleet has begun", other);
            } finally {
                lines.leave();
            }
        } finally {
            ledgers.close();
        }
    }
}
