package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.Committer;
import io.counters.collector.ledger.Ledger;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges the lines of the partitions that this collector owns into their ledgers, and commits them. For one thread, which
 * calls {@link #run} in a loop; what is shown to others is in {@link OwnedLedgers}.
 *
 * <p><b>Design.</b> Membership in a consumer group decides who owns a partition. A partition that is assigned is loaded by
 * the {@link Loader} while the others go on; then its lines are merged from the offset that belongs to what was loaded. Every
 * 250 ms one transaction writes the changes of all partitions, the offsets up to which their lines are merged, and due ticks.
 *
 * <p><b>Weakness.</b> Membership is an opinion. A collector that hangs for longer than its session goes on afterwards as if
 * it still owned what others own by now, and Kafka need not tell it of partitions that were another's meanwhile and are its
 * own again. A transaction whose answer is lost may or may not have been committed.
 *
 * <p><b>Defence.</b> Whenever the members meet, the group gets a new generation, in which each partition is at most one
 * member's. Offsets are committed with the generation that their member knows the assignment of, and brokers refuse the whole
 * transaction if it is not the present one. So in a generation only its owner commits a partition, and nobody commits it in
 * an earlier one any more. What remains is what was committed in the generations before. Therefore after each meeting
 * nothing is committed until the {@link Loader} has asked, after all pending transactions, what the group has: if that is
 * still what this owner has left there, which no other commit leaves, nobody has committed since, and the ledger goes on;
 * else it is thrown away and loaded again. The same question settles a transaction without an answer, once it has ended.
 *
 * <p>A transaction that has written nothing becomes part of the next one, as after a failed write to a disk. That is so for
 * the transactions that brokers refuse while the members meet: between the last member's arrival and the new assignment
 * each of them knows only the generation before. Nothing but what was committed is ever derived from a ledger.
 */
final class Owner implements OwnerLog.Member, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Owner.class);

    private static final long COMMIT_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long POLL_MILLIS_MAX = 50;
    private static final long RENEW_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How long lines are waited for while nothing can be committed. */
    private static final long ASK_MILLIS = 10;

    /** How long the stamp of a new ledger in the store is waited for. */
    private static final long MARK_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final OwnerLog lines;
    private final Loader loader;
    private final OwnedLedgers owned;
    private final int partitions;
    private final LedgerTopic topic;
    private final Committer commit;
    private final LineMerge merge;
    private final Predicate<Ledger> knowsStore;
    private final DueTicks ticks;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Metrics metrics;

    /** What is assigned and has no ledger yet: not asked for, and asked for. */
    private final SortedSet<Integer> unloaded = new TreeSet<>();

    private final Map<Integer, Load> loading = new HashMap<>();

    /** What is assigned and cannot be counted, and why. */
    private final ConcurrentSkipListMap<Integer, String> refused = new ConcurrentSkipListMap<>();

    private final NextCommit nextCommit = new NextCommit();
    private long committedNanos;
    private long renewedNanos;
    private volatile boolean mustRenew = true;
    private volatile boolean isMember;
    private boolean mustCommit;

    /** Counts what makes ledgers doubtful: meetings of the members, and transactions without an answer. */
    private int meeting;

    // What other threads may know.
    private volatile int loadingPartitions;

    private final LongAdder rebalances;
    private final LongAdder aborted;
    private final LongAdder discarded;

    /**
     * @param partitions how many the fleet has
     * @param knowsStore whether a new ledger has learnt what other ledgers have written to the store; true without one
     * @param dueTick the second of a tick, when it is due
     * @param lastTick the second of the tick before the next one that will be due
     */
    Owner(
            OwnerLog lines,
            Loader loader,
            OwnedLedgers owned,
            int partitions,
            Predicate<Ledger> knowsStore,
            Supplier<OptionalLong> dueTick,
            LongSupplier lastTick,
            LongSupplier wallMillis,
            LongSupplier nanoClock,
            FaultLog faults,
            Metrics metrics) {
        this.lines = lines;
        this.loader = loader;
        this.owned = owned;
        this.partitions = partitions;
        this.knowsStore = knowsStore;
        this.nanoClock = nanoClock;
        this.faults = faults;
        this.metrics = metrics;
        ticks = new DueTicks(dueTick, lastTick, lines, wallMillis, faults, metrics);
        topic = new LedgerTopic(lines, owned::partitions, partitions);
        commit = new Committer(owned::ledgers, topic, nanoClock, faults, metrics);
        merge = new LineMerge(owned, wallMillis, nanoClock, faults, metrics);
        committedNanos = nanoClock.getAsLong();
        renewedNanos = committedNanos - RENEW_NANOS;
        rebalances = metrics.count("fleet_rebalances_total", "How often partitions were assigned, given away or lost.");
        aborted = metrics.count("fleet_aborted_transactions_total", "Transactions that wrote nothing or may not have.");
        discarded = metrics.count(
                "fleet_discarded_ledgers_total",
                "Ledgers that were thrown away: another collector has them or had them, or an error broke them.");
        metrics.gauge(
                "fleet_owned_partitions",
                "Partitions that this collector owns.",
                () -> owned.partitions().size());
        metrics.gauge(
                "fleet_loading_partitions",
                "Partitions that are assigned and not loaded yet.",
                () -> loadingPartitions);
        metrics.gauge("fleet_refused_partitions", "Partitions that are assigned and cannot be counted.", refused::size);
    }

    /**
     * Does one round: receives lines, merges them, and commits if it is time. Call it again at once.
     *
     * @throws IOException if the log cannot be used now; call it again after a pause
     */
    void run() throws IOException {
        renew();
        if (!mustRenew) {
            // What is read from now on is what no earlier transaction can change.
            load();
        }
        long now = nanoClock.getAsLong();
        long dueMillis = TimeUnit.NANOSECONDS.toMillis(Math.max(0, COMMIT_NANOS - (now - committedNanos)));
        lines.poll(Math.min(POLL_MILLIS_MAX, canCommit() ? dueMillis : ASK_MILLIS), this);
        owned.partitions().stream().filter(part -> part.isBroken).forEach(this::loadAgain);
        takeLoaded();
        beginLoaded();
        mustCommit |= ticks.use(owned.partitions());
        if (mustCommit || nanoClock.getAsLong() - committedNanos >= COMMIT_NANOS) {
            commit();
        }
        look();
    }

    /** If it fails, lines are polled before the next try: who does not poll holds up the meetings of all members. */
    private void renew() {
        long now = nanoClock.getAsLong();
        if (!mustRenew || now - renewedNanos < RENEW_NANOS) {
            return;
        }
        try {
            lines.renew();
            mustRenew = false;
        } catch (IOException notNow) {
            renewedNanos = nanoClock.getAsLong();
            faults.warn("owner", notNow.getMessage() + "; it is tried again, and lines wait in their topic");
        }
    }

    // Membership

    @Override
    public void assigned(Collection<Integer> fresh) {
        rebalances.increment();
        // It may be owned as yet: Kafka need not have said that it was lost.
        discarded.add(forget(fresh));
        for (int partition : fresh) {
            lines.hold(partition);
            if (partition < partitions) {
                unloaded.add(partition);
            } else {
                refuse(
                        partition,
                        "partitions were added to the topic of lines: partition " + partition + " is none of the "
                                + partitions + " of this fleet, and is not used; collectors that start now will not");
            }
        }
    }

    private void refuse(int partition, String why) {
        refused.put(partition, why);
        faults.warn("partition refused", why);
    }

    private void load() {
        for (int partition : unloaded) {
            want(new Load(partition, nanoClock.getAsLong(), meeting));
        }
        unloaded.clear();
        for (OwnedPartition part : owned.partitions()) {
            if (!part.isSure && !loading.containsKey(part.number)) {
                want(Load.check(part.number, nanoClock.getAsLong(), meeting, part.committed));
            }
        }
    }

    private void want(Load load) {
        loading.put(load.partition, load);
        loader.want(load);
    }

    /** @return how many had ledgers */
    private int forget(Collection<Integer> others) {
        for (int partition : others) {
            unloaded.remove(partition);
            refused.remove(partition);
            Load load = loading.remove(partition);
            if (load != null) {
                load.isDropped = true;
            }
        }
        return remove(others);
    }

    private int remove(Collection<Integer> others) {
        int before = owned.partitions().size();
        owned.remove(others);
        int removed = before - owned.partitions().size();
        if (removed > 0) {
            // What somebody waits for may have been in one of these.
            nextCommit.answer(false);
        }
        return removed;
    }

    @Override
    public void revoked(Collection<Integer> others) {
        rebalances.increment();
        forget(others);
    }

    @Override
    public void lost(Collection<Integer> others) {
        rebalances.increment();
        discarded.add(forget(others));
    }

    @Override
    public void met(Set<Integer> mine) {
        Set<Integer> others = new TreeSet<>(unloaded);
        others.addAll(loading.keySet());
        others.addAll(refused.keySet());
        owned.partitions().forEach(part -> others.add(part.number));
        others.removeAll(mine);
        forget(others);
        doubt();
    }

    /** Has each ledger checked, or loaded again, before more of it is committed. */
    private void doubt() {
        meeting++;
        owned.partitions().forEach(part -> part.isSure = false);
    }

    private void takeLoaded() {
        for (Load load = loader.take(); load != null; load = loader.take()) {
            if (load.isDropped || loading.get(load.partition) != load) {
                continue;
            }
            loading.remove(load.partition);
            if (load.known != null) {
                checked(load);
                continue;
            }
            Ledger ledger = load.ledger;
            if (ledger == null && load.meeting != meeting) {
                // Another one may have owned it meanwhile, and replaced records before they were read.
                unloaded.add(load.partition);
                continue;
            }
            if (ledger == null) {
                refuse(
                        load.partition,
                        "the ledger of partition " + load.partition + " cannot be used: " + load.damage
                                + "; its lines wait, and are counted by a collector that starts after it was mended");
                continue;
            }
            OwnedPartition part = new OwnedPartition(
                    load.partition,
                    ledger,
                    new LineRecords(ledger, faults, metrics),
                    load.offset,
                    Objects.requireNonNull(load.committed));
            part.isSure = load.meeting == meeting;
            part.sinceNanos = load.sinceNanos;
            part.loadedNanos = nanoClock.getAsLong();
            owned.add(part);
        }
    }

    /** If there was another doubt since, it is asked once more. */
    private void checked(Load check) {
        OwnedPartition part = Objects.requireNonNull(owned.partition(check.partition));
        part.isSure = check.isStillKnown() && check.meeting == meeting;
        if (!check.isStillKnown()) {
            loadAgain(part);
        }
    }

    private void loadAgain(OwnedPartition part) {
        discarded.add(forget(Set.of(part.number)));
        lines.hold(part.number);
        unloaded.add(part.number);
    }

    /** Begins with partitions that are loaded; a new ledger first learns whether others have written to the store. */
    private void beginLoaded() {
        for (OwnedPartition part : owned.partitions()) {
            if (part.hasBegun) {
                continue;
            }
            long now = nanoClock.getAsLong();
            if (part.ledger.isNew() && !knowsStore.test(part.ledger)) {
                if (now - part.loadedNanos < MARK_NANOS) {
                    continue;
                }
                part.ledger.forgetEarlier();
            }
            part.hasBegun = true;
            ticks.begun(part);
            merge.begun(part);
            lines.begin(part.number, part.offset);
            log.debug("partition {} has begun at offset {}", part.number, part.offset);
        }
    }

    // Lines

    @Override
    public void lines(int partition, long offset, long timeMillis, byte[] text) {
        OwnedPartition part = owned.partition(partition);
        if (part == null || !part.hasBegun || part.isBroken || ticks.holdsBack(part, timeMillis)) {
            return;
        }
        merge.lines(part, offset, timeMillis, text);
    }

    @Override
    public void moved(int partition, long from, long to) {
        merge.moved(partition, from, to);
    }

    // Commits

    private void commit() {
        if (!canCommit()) {
            return;
        }
        CompletableFuture<Boolean> told = nextCommit.take();
        boolean isCommitted = false;
        try {
            mustCommit = false;
            isCommitted = commit.run();
            committedNanos = nanoClock.getAsLong();
            if (!isCommitted) {
                aborted.increment();
                merge.troubled();
            }
            if (topic.takeInDoubt()) {
                mustRenew = true;
                doubt();
            }
        } finally {
            told.complete(isCommitted);
        }
    }

    private boolean canCommit() {
        return !mustRenew && owned.partitions().stream().allMatch(part -> part.isSure);
    }

    /** See {@link NextCommit#await}. From any thread but the owner's. */
    boolean awaitCommit() {
        return nextCommit.await();
    }

    private void look() {
        merge.look(lines);
        isMember = lines.isMember();
        loadingPartitions = loading.size() + unloaded.size();
    }

    /** What keeps it from counting some lines, if something does. From any thread, which does not wait. */
    Optional<String> trouble() {
        List<String> why = List.copyOf(refused.values());
        if (!why.isEmpty()) {
            return Optional.of(why.get(0) + (why.size() == 1 ? "" : " (partitions like this: " + why.size() + ")"));
        }
        if (mustRenew) {
            return Optional.of("Kafka lets this collector begin no transaction yet");
        }
        if (!isMember) {
            return Optional.of("this collector is not in the group of owners");
        }
        if (loadingPartitions > 0) {
            return Optional.of("ledgers of partitions are being loaded: " + loadingPartitions);
        }
        return merge.trouble();
    }

    /** What keeps changes from being committed; see {@link Committer#trouble}. */
    Committer committing() {
        return commit;
    }

    /** Commits everything, and ends the membership so that a restart finds its partitions again. */
    @Override
    public void close() {
        try {
            owned.ledgers().forEach(Ledger::noteAll);
            commit();
        } finally {
            nextCommit.end();
            lines.close();
        }
    }
}
