package io.counters.collector.fleet;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A fleet's log in memory, with transactions whose records and markers arrive late, members that are out of date, commits that
 * fail or whose outcome nobody learns, and compaction. For one thread.
 */
final class MemoryLog {
    private static final int LINES_A_POLL = 8;

    /** How the next commit ends. */
    enum Outcome {
        COMMITTED,
        ABORTED,
        /** It is committed, and its member does not learn it. */
        UNKNOWN_COMMITTED,
        /** It stays open until it is ended by a later member or by time. */
        UNKNOWN_OPEN
    }

    private enum State {
        OPEN,
        COMMITTED,
        ABORTED
    }

    private static final class Transaction {
        final String member;
        State state = State.OPEN;
        final Map<Integer, Committed> offsets = new HashMap<>();

        /** Partitions of the ledger's topic that its marker has not reached yet. */
        final Set<Integer> unmarked = new HashSet<>();

        /** Whether its marker has reached the offsets. */
        boolean isInOffsets;

        Transaction(String member) {
            this.member = member;
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Line(long timeMillis, byte[] text) {}

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Entry(Transaction in, byte @Nullable [] key, byte @Nullable [] value) {}

    private record Unsent(OwnerLog.Topic topic, int partition, Entry entry) {}

    private final int partitions;
    private final Random random;
    private final List<List<Line>> lines = new ArrayList<>();

    /** Null where compaction has removed a record. */
    private final List<List<@Nullable Entry>> ledger = new ArrayList<>();

    private final List<List<Entry>> ticks = new ArrayList<>();
    private final Map<Integer, Committed> committed = new HashMap<>();
    private final List<Transaction> transactions = new ArrayList<>();

    /** Who owns each partition by now; a member learns it with its next poll. */
    private final Map<Integer, String> owners = new TreeMap<>();

    /** How often the owner of any partition has changed: a member that has not learnt all of it is out of date. */
    private int generation;

    /** Whether it takes transactions of members that are out of date, as it must not. */
    boolean takesEverything;

    /** Who gets a partition once its owner has given it away. */
    private final Map<Integer, String> heirs = new HashMap<>();

    /** Runs in the middle of a commit: brokers have taken its offsets, and some of its records are still on their way. */
    Runnable whileCommitting = () -> {};

    MemoryLog(int partitions, Random random) {
        this.partitions = partitions;
        this.random = random;
        for (int i = 0; i < partitions; i++) {
            lines.add(new ArrayList<>());
            ledger.add(new ArrayList<>());
            ticks.add(new ArrayList<>());
        }
    }

    void add(int partition, long timeMillis, byte[] text) {
        lines.get(partition).add(new Line(timeMillis, text));
    }

    /** Makes this member the owner of a partition, which it learns with its next poll, as the one before does. */
    void assign(int partition, String member) {
        heirs.remove(partition);
        if (!member.equals(owners.put(partition, member))) {
            generation++;
        }
    }

    /** Makes this member the owner of a partition once the present one has committed what it has of it. */
    void handOver(int partition, String member) {
        heirs.put(partition, member);
    }

    /** Who owns the partition by now; null if nobody ever did. */
    @Nullable
    String owner(int partition) {
        return owners.get(partition);
    }

    /** How many different keys the ledger of this partition has. */
    int keys(int partition) {
        Set<ByteBuffer> keys = new HashSet<>();
        for (Entry entry : ledger.get(partition)) {
            if (entry != null && entry.in.state == State.COMMITTED && entry.key != null) {
                keys.add(ByteBuffer.wrap(entry.key));
            }
        }
        return keys.size();
    }

    long lineCount(int partition) {
        return lines.get(partition).size();
    }

    long committed(int partition) {
        return committed.getOrDefault(partition, new Committed(0, "")).offset();
    }

    /** Commits offsets in no transaction. */
    void commitOffsets(Map<Integer, Committed> offsets) {
        committed.putAll(offsets);
    }

    /** Adds a record to the topic of ticks, in no transaction. */
    void addTick(int partition, byte[] value) {
        Transaction none = new Transaction("");
        none.state = State.COMMITTED;
        ticks.get(partition).add(new Entry(none, null, value));
    }

    /** Up to where nothing of the ledger's records is undecided. */
    long lastStable(int partition) {
        List<@Nullable Entry> all = ledger.get(partition);
        int at = 0;
        while (at < all.size() && isDecided(partition, all.get(at))) {
            at++;
        }
        return at;
    }

    private static boolean isDecided(int partition, @Nullable Entry entry) {
        return entry == null || (entry.in.state != State.OPEN && !entry.in.unmarked.contains(partition));
    }

    /**
     * Keeps only the last record of each key of the ledgers, as far as nothing is undecided.
     *
     * @param withTombstones whether records without a value go, too; a reader in between might miss them
     */
    void compact(boolean withTombstones) {
        for (int partition = 0; partition < partitions; partition++) {
            List<@Nullable Entry> all = ledger.get(partition);
            Set<ByteBuffer> later = new HashSet<>();
            for (int at = (int) lastStable(partition) - 1; at >= 0; at--) {
                Entry entry = all.get(at);
                if (entry == null || entry.key == null) {
                    continue;
                }
                boolean isLast = entry.in.state == State.COMMITTED && later.add(ByteBuffer.wrap(entry.key));
                if (!isLast || (entry.value == null && withTombstones)) {
                    all.set(at, null);
                }
            }
        }
    }

    /** The committed values of the topic of ticks. */
    List<byte[]> ticks(int partition) {
        return ticks.get(partition).stream()
                .filter(entry -> entry.in.state == State.COMMITTED)
                .map(Entry::value)
                .toList();
    }

    /** Lets some markers arrive, and ends transactions that have been open for too long. */
    void answered(boolean all) {
        for (Transaction one : transactions) {
            if (one.state == State.OPEN && (all || random.nextInt(20) == 0)) {
                one.state = State.ABORTED;
            }
            if (one.state != State.OPEN && (all || random.nextInt(3) == 0)) {
                markOffsets(one);
            }
            if (one.state != State.OPEN) {
                one.unmarked.removeIf(partition -> all || random.nextInt(3) == 0);
            }
        }
        transactions.removeIf(one -> one.state != State.OPEN && one.isInOffsets && one.unmarked.isEmpty());
    }

    private void markOffsets(Transaction one) {
        if (one.state == State.COMMITTED && !one.isInOffsets) {
            committed.putAll(one.offsets);
        }
        one.isInOffsets = true;
    }

    /** Ends what this member has open, and waits until all markers of its transactions have arrived. */
    private void complete(String member) {
        for (Transaction one : transactions) {
            if (one.member.equals(member)) {
                one.state = one.state == State.OPEN ? State.ABORTED : one.state;
                markOffsets(one);
                one.unmarked.clear();
            }
        }
    }

    /** What a member sees of the log. */
    final class Of implements OwnerLog {
        private final String name;
        private final Map<Integer, Integer> positions = new TreeMap<>();

        /** Where lines were asked for since it began there: only then it is known how many wait. */
        private final Set<Integer> polled = new HashSet<>();

        /** The partitions that it takes for its own. */
        private final Set<Integer> known = new TreeSet<>();

        /** The last generation that it has learnt. */
        private int membership;

        private final List<Unsent> unsent = new ArrayList<>();
        private @Nullable Transaction open;
        private boolean mustRenew;
        boolean isRenewable = true;
        Outcome next = Outcome.COMMITTED;

        /** How often partitions have begun. */
        int begun;

        /** Whether the others have excluded it, and it knows. */
        boolean isOut;

        Of(String name) {
            this.name = name;
            complete(name);
        }

        @Override
        public void poll(long waitMillis, Member member) {
            if (random.nextInt(3) == 0) {
                learn(member);
            }
            polled.addAll(positions.keySet());
            for (Map.Entry<Integer, Integer> position : positions.entrySet()) {
                List<Line> all = lines.get(position.getKey());
                for (int i = random.nextInt(LINES_A_POLL + 1); i > 0 && position.getValue() < all.size(); i--) {
                    Line line = all.get(position.getValue());
                    member.lines(position.getKey(), position.getValue(), line.timeMillis, line.text);
                    position.setValue(position.getValue() + 1);
                }
            }
        }

        /**
         * Learns which partitions it owns by now; until then it takes itself for the owner of others'. Nobody says which of
         * its own were another's meanwhile.
         */
        private void learn(Member member) {
            Collection<Integer> lost =
                    known.stream().filter(one -> !name.equals(owners.get(one))).toList();
            if (!lost.isEmpty()) {
                drop(lost);
                if (random.nextBoolean()) {
                    member.lost(lost);
                } else {
                    member.revoked(lost);
                }
            }
            Collection<Integer> given =
                    known.stream().filter(heirs::containsKey).toList();
            if (!given.isEmpty()) {
                member.revoked(given);
                drop(given);
                for (int partition : given) {
                    String heir = heirs.remove(partition);
                    if (heir != null) {
                        assign(partition, heir);
                    }
                }
            }
            List<Integer> fresh = new ArrayList<>();
            owners.forEach((partition, owner) -> {
                if (owner.equals(name) && known.add(partition)) {
                    fresh.add(partition);
                }
            });
            if (!fresh.isEmpty()) {
                member.assigned(fresh);
            }
            if (!isPresent()) {
                membership = generation;
                member.met(Set.copyOf(known));
            }
        }

        private void drop(Collection<Integer> all) {
            known.removeAll(all);
            positions.keySet().removeAll(all);
        }

        @Override
        public boolean isMember() {
            return membership > 0 && !isOut;
        }

        /** Whether it has learnt everything about who owns what. */
        boolean isPresent() {
            return membership == generation;
        }

        @Override
        public void begin(int partition, long offset) {
            begun++;
            polled.remove(partition);
            positions.put(partition, (int) offset);
        }

        @Override
        public void hold(int partition) {
            positions.remove(partition);
        }

        @Override
        public OptionalLong lag(int partition) {
            Integer position = positions.get(partition);
            return position == null || !polled.contains(partition)
                    ? OptionalLong.empty()
                    : OptionalLong.of(lines.get(partition).size() - position);
        }

        private Transaction open() {
            if (open == null) {
                complete(name);
                open = new Transaction(name);
                transactions.add(open);
            }
            return open;
        }

        @Override
        public void append(Topic topic, int partition, byte @Nullable [] key, byte @Nullable [] value) {
            unsent.add(new Unsent(topic, partition, new Entry(open(), key, value)));
            if (random.nextInt(20) == 0) {
                send();
            }
        }

        private void send() {
            for (Unsent one : unsent) {
                if (one.topic == OwnerLog.Topic.TICKS) {
                    ticks.get(one.partition).add(one.entry);
                } else {
                    ledger.get(one.partition).add(one.entry);
                    one.entry.in.unmarked.add(one.partition);
                }
            }
            unsent.clear();
        }

        @Override
        public void commit(Map<Integer, Committed> offsets) throws IOException {
            Transaction one = open();
            open = null;
            if (mustRenew || one.state != State.OPEN) {
                abort(one);
                throw new InDoubt("it was ended by another", null);
            }
            if (!offsets.isEmpty() && !isPresent() && !takesEverything) {
                abort(one);
                throw new IOException("the generation is not the present one");
            }
            one.offsets.putAll(offsets);
            whileCommitting.run();
            if (one.state != State.OPEN) {
                abort(one);
                throw new InDoubt("it was ended by another", null);
            }
            send();
            Outcome outcome = next;
            next = Outcome.COMMITTED;
            switch (outcome) {
                case COMMITTED -> one.state = State.COMMITTED;
                case ABORTED -> {
                    one.state = State.ABORTED;
                    throw new IOException("the transaction was aborted");
                }
                case UNKNOWN_COMMITTED -> {
                    one.state = State.COMMITTED;
                    mustRenew = true;
                    throw new InDoubt("no answer", null);
                }
                case UNKNOWN_OPEN -> {
                    mustRenew = true;
                    throw new InDoubt("no answer", null);
                }
            }
        }

        private void abort(Transaction one) {
            one.state = State.ABORTED;
            unsent.clear();
        }

        @Override
        public void renew() throws IOException {
            if (!isRenewable) {
                throw new IOException("transactions cannot begin");
            }
            complete(name);
            unsent.clear();
            mustRenew = false;
        }

        @Override
        public void close() {
            complete(name);
        }
    }

    /** What a loader sees of the log. */
    final class Loading implements LoaderLog {
        private static final int RECORDS_A_READ = 50;

        /** Whether it reads what was not committed, as it must not. */
        boolean readsEverything;

        /** Whether it does not wait for pending transactions, as it must. */
        boolean isHasty;

        @Override
        public Map<Integer, Committed> committed(Set<Integer> wanted) {
            Map<Integer, Committed> found = new HashMap<>();
            for (int partition : wanted) {
                boolean isPending =
                        transactions.stream().anyMatch(one -> !one.isInOffsets && one.offsets.containsKey(partition));
                if (!isPending || isHasty) {
                    found.put(partition, committed.getOrDefault(partition, Committed.NOTHING));
                }
            }
            return found;
        }

        @Override
        public Map<Integer, Long> ends(Set<Integer> wanted) {
            Map<Integer, Long> found = new HashMap<>();
            wanted.forEach(partition ->
                    found.put(partition, (long) ledger.get(partition).size()));
            return found;
        }

        /** Reads up to the first record of a transaction whose marker is not there yet. */
        @Override
        public void read(Map<Integer, Long> positions, Records records) {
            positions.replaceAll((partition, position) -> {
                List<@Nullable Entry> all = ledger.get(partition);
                long at = position;
                for (int i = 0; i < RECORDS_A_READ && at < all.size(); at++) {
                    Entry entry = all.get((int) at);
                    if (entry == null || entry.key == null) {
                        continue;
                    }
                    if (!readsEverything && !isDecided(partition, entry)) {
                        break;
                    }
                    if (readsEverything || entry.in.state == State.COMMITTED) {
                        records.put(partition, entry.key, entry.value);
                    }
                    i++;
                }
                return at;
            });
        }

        @Override
        public String topic() {
            return "counters.ledger";
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }
}
