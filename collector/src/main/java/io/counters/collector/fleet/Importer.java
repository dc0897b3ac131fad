package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.fleet.OwnerLog.Topic;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import io.counters.collector.ledger.StoreStamp;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;

/**
 * Carries an embedded ledger over to a fleet's partitions, once. For one thread.
 *
 * <p>It is the owner of all partitions while it does so, by the rules that fence owners: where a collector has joined, its
 * transaction is refused. Each partition is loaded, gets its part, and is written in one transaction, which also notes the
 * ledger as {@link Imported}. So what was interrupted, wherever, goes on with the partitions that have no such note. Nothing
 * is written before all partitions were looked at. A quarter of them is loaded at a time: the time hardly depends on their
 * number then, and the heap has room for them beside the embedded ledger.
 */
final class Importer implements OwnerLog.Member {
    private static final long JOIN_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int ROUNDS = 4;
    private static final long POLL_MILLIS = 50;

    private final OwnerLog log;
    private final Loader loader;
    private final int partitions;
    private final Ledger source;
    private final StoreStamp stamp;
    private final boolean adds;
    private final long heapBytes;
    private final long second;
    private final LongSupplier nanoClock;
    private final Set<Integer> owned = new HashSet<>();
    private int meeting;
    private boolean isWriting;
    private final CRC32C crc = new CRC32C();

    /**
     * @param partitions how many the fleet has
     * @param source the embedded ledger; it is not changed
     * @param adds whether it is added to what the fleet has counted
     * @param heapBytes of a collector of the fleet, whose share the loader's ledgers are bound to
     * @param second the present one, in Unix time
     */
    Importer(
            OwnerLog log,
            Loader loader,
            int partitions,
            Ledger source,
            boolean adds,
            long heapBytes,
            long second,
            LongSupplier nanoClock) {
        this.log = log;
        this.loader = loader;
        this.partitions = partitions;
        this.source = source;
        this.adds = adds;
        this.heapBytes = heapBytes;
        this.second = second;
        this.nanoClock = nanoClock;
        stamp = source.stamp();
    }

    /**
     * Imports into all partitions that do not have it yet.
     *
     * @return how many these were
     * @throws IOException if it cannot be done, with what to do
     */
    int run() throws IOException {
        log.renew();
        join();
        List<Integer> open = new ArrayList<>();
        Imported before = null;
        double usedRoom = 0;
        for (List<Integer> some : rounds(IntStream.range(0, partitions).boxed().toList())) {
            for (Load load : load(some)) {
                Imported imported = load.imported.get(stamp.ledger());
                if (imported == null) {
                    usedRoom = Math.max(usedRoom, check(load));
                    open.add(load.partition);
                } else {
                    before = imported;
                }
            }
        }
        boolean wasUsed = before != null && before.commit() != stamp.commit();
        if (before != null && open.isEmpty()) {
            throw new IOException("it was imported at " + Instant.ofEpochSecond(before.second())
                    + (wasUsed
                            ? ", and a collector has used the ledger since; what that counted is not in the fleet and"
                                    + " cannot be imported. Keep the folder"
                            : " already, and its counts are in the fleet; move it away"));
        }
        if (wasUsed) {
            throw new IOException(
                    "an import was interrupted, and a collector has used the ledger since, so the partitions"
                            + " that were imported lack what it has counted; import it into a fleet with another --prefix");
        }
        if (usedRoom > 1) {
            throw new IOException(noRoom(usedRoom));
        }
        isWriting = true;
        int written = 0;
        try {
            for (List<Integer> some : rounds(open)) {
                for (Load load : load(some)) {
                    write(load);
                    written++;
                }
            }
        } catch (IOException notNow) {
            throw new IOException(
                    "partitions still to be imported: " + (open.size() - written) + " of " + partitions + " ("
                            + notNow.getMessage()
                            + "); run the import again, and it goes on with these; nothing is counted twice",
                    notNow);
        }
        return written;
    }

    private List<List<Integer>> rounds(List<Integer> some) {
        int size = (partitions + ROUNDS - 1) / ROUNDS;
        List<List<Integer>> rounds = new ArrayList<>();
        for (int from = 0; from < some.size(); from += size) {
            rounds.add(some.subList(from, Math.min(from + size, some.size())));
        }
        return rounds;
    }

    private void join() throws IOException {
        long begun = nanoClock.getAsLong();
        while (owned.size() < partitions) {
            if (nanoClock.getAsLong() - begun > JOIN_NANOS) {
                throw new IOException("collectors of the fleet own " + (partitions - owned.size()) + " of " + partitions
                        + " partitions; stop all of them, and run the import again");
            }
            log.poll(POLL_MILLIS, this);
        }
    }

    @Override
    public void assigned(Collection<Integer> some) {
        owned.addAll(some);
        some.forEach(log::hold);
    }

    @Override
    public void revoked(Collection<Integer> some) {
        owned.removeAll(Set.copyOf(some));
    }

    @Override
    public void lost(Collection<Integer> some) {
        revoked(some);
    }

    @Override
    public void met(Set<Integer> mine) {
        owned.retainAll(mine);
        meeting++;
    }

    @Override
    public void lines(int partition, long offset, long timeMillis, byte[] text) {
        // They wait for the partition's next owner.
    }

    @Override
    public void moved(int partition, long from, long to) {
        // That owner finds it, too.
    }

    private List<Load> load(List<Integer> some) throws IOException {
        int begun = meeting;
        long heardNanos = nanoClock.getAsLong();
        long heard = 0;
        List<Load> loads = new ArrayList<>();
        some.forEach(partition -> loads.add(new Load(partition, nanoClock.getAsLong(), begun)));
        loads.forEach(loader::want);
        List<Load> left = new ArrayList<>(loads);
        boolean hasMore = true;
        while (!left.isEmpty()) {
            log.poll(hasMore ? 0 : POLL_MILLIS, this);
            if (owned.size() < partitions) {
                throw stopped("a collector of the fleet has started meanwhile; stop all of them");
            }
            hasMore = loader.step();
            for (Load done = loader.take(); done != null; done = loader.take()) {
                left.remove(done);
            }
            long now = loads.stream().mapToLong(load -> load.position).sum() - left.size();
            if (now != heard) {
                heard = now;
                heardNanos = nanoClock.getAsLong();
            } else if (nanoClock.getAsLong() - heardNanos > SILENCE_NANOS) {
                throw stopped("the ledger of partition " + left.get(0).partition
                        + " could not be loaded, because Kafka has not answered for a minute; start the brokers");
            }
        }
        if (begun != meeting) {
            // A collector may have owned the partitions meanwhile.
            return load(some);
        }
        for (Load load : loads) {
            if (load.ledger == null) {
                throw new IOException("the ledger of partition " + load.partition + " cannot be used: " + load.damage);
            }
        }
        return loads;
    }

    private IOException stopped(String why) {
        return new IOException(isWriting ? why : why + ", and run the import again; this run has imported nothing");
    }

    /** @return how much of the partition's room would be used */
    private double check(Load load) throws IOException {
        Ledger ledger = Objects.requireNonNull(load.ledger);
        if (ledger.size() > 0 && !adds) {
            throw new IOException("the fleet has counters already, such as "
                    + ledger.snapshot().names()[0] + "; add --add to add to them, or use another --prefix");
        }
        return add(load).usedRoom();
    }

    private String noRoom(double usedRoom) {
        long heapMegabytes = heapBytes >> 20;
        return String.format(
                Locale.ROOT,
                "it does not fit: with -Xmx%dm, a partition would need %.1f times the memory that it has for names and"
                        + " senders, and each of %d partitions knows all senders with totals (%d); run the import and all"
                        + " collectors with -Xmx%dm, or with more --streams-memory and --names-memory, or import it into"
                        + " a fleet with another --prefix and fewer --fleet-partitions",
                heapMegabytes,
                usedRoom,
                partitions,
                source.streams(),
                (long) Math.ceil(heapMegabytes * usedRoom));
    }

    /** Adds this partition's part to what was loaded. */
    private Ledger add(Load load) throws IOException {
        Ledger ledger = Objects.requireNonNull(load.ledger);
        Predicate<String> isHere = text -> {
            byte[] bytes = text.getBytes(ISO_8859_1);
            return Partitions.of(bytes, 0, bytes.length, partitions, crc) == load.partition;
        };
        try {
            ledger.add(source, isHere, isHere);
            return ledger;
        } catch (IllegalArgumentException notExact) {
            throw new IOException(
                    "it cannot be added exactly: in partition " + load.partition + ", " + notExact.getMessage()
                            + "; import it into a fleet with another --prefix before senders reach that",
                    notExact);
        }
    }

    private void write(Load load) throws IOException {
        new LedgerRecords((key, value) -> log.append(Topic.LEDGER, load.partition, key, value)).write(add(load));
        Imported imported = new Imported(stamp.ledger(), stamp.commit(), second);
        log.append(Topic.LEDGER, load.partition, imported.key(), imported.value());
        log.append(Topic.LEDGER, load.partition, LedgerOffset.KEY, new LedgerOffset(partitions, load.offset).value());
        log.commit(Map.of(load.partition, new Committed(load.offset, stamp.toString())));
    }
}
