package io.counters.collector.fleet;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A fleet's log in memory, with transactions whose marks arrive late, members that are out of date, and commits that fail or
 * whose outcome nobody learns. For one thread.
 */
final class MemoryLog {
    private static final int LINES_A_POLL = 3;

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
        final Map<Integer, Long> offsets = new HashMap<>();

        /** Partitions of the ledger's topic that its mark has not reached yet. */
        final Set<Integer> unmarked = new HashSet<>();

        /** Whether its mark has reached the offsets. */
        boolean isInOffsets;

        Transaction(String member) {
            this.member = member;
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Line(long timeMillis, byte[] text) {}

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Entry(Transaction in, byte @Nullable [] key, byte @Nullable [] value) {}

    private final int partitions;
    private final Random random;
    private final List<List<Line>> lines = new ArrayList<>();
    private final List<List<Entry>> ledger = new ArrayList<>();
    private final List<List<Entry>> ticks = new ArrayList<>();
    private final Map<Integer, Long> committed = new HashMap<>();
    private final List<Transaction> transactions = new ArrayList<>();

    /** Who owns each partition by now; a member learns it with its next poll. */
    private final Map<Integer, String> owners = new TreeMap<>();

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
        owners.put(partition, member);
    }

    long lineCount(int partition) {
        return lines.get(partition).size();
    }

    long committed(int partition) {
        return committed.getOrDefault(partition, 0L);
    }

    /** The committed values of the topic of ticks. */
    List<byte[]> ticks(int partition) {
        return ticks.get(partition).stream()
                .filter(entry -> entry.in.state == State.COMMITTED)
                .map(Entry::value)
                .toList();
    }

    /** Lets some marks arrive, and ends transactions that have been open for too long. */
    void settle(boolean all) {
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

    /** Ends what this member has open, and waits until all marks of its transactions have arrived. */
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
        private final Set<Integer> known = new HashSet<>();
        private @Nullable Transaction open;
        private boolean mustRenew;
        Outcome next = Outcome.COMMITTED;

        Of(String name) {
            this.name = name;
            complete(name);
        }

        @Override
        public void poll(long waitMillis, Member member) {
            if (random.nextInt(3) == 0) {
                learn(member);
            }
            for (Map.Entry<Integer, Integer> position : positions.entrySet()) {
                List<Line> all = lines.get(position.getKey());
                for (int i = random.nextInt(LINES_A_POLL + 1); i > 0 && position.getValue() < all.size(); i--) {
                    Line line = all.get(position.getValue());
                    member.lines(position.getKey(), position.getValue(), line.timeMillis, line.text);
                    position.setValue(position.getValue() + 1);
                }
            }
        }

        /** Learns which partitions it owns by now; until then it takes itself for the owner of others'. */
        private void learn(Member member) {
            Set<Integer> now = new HashSet<>();
            owners.forEach((partition, owner) -> {
                if (owner.equals(name)) {
                    now.add(partition);
                }
            });
            Collection<Integer> lost =
                    known.stream().filter(one -> !now.contains(one)).toList();
            if (!lost.isEmpty()) {
                known.removeAll(lost);
                positions.keySet().removeAll(lost);
                member.lost(lost);
            }
            Collection<Integer> fresh =
                    now.stream().filter(one -> !known.contains(one)).toList();
            if (!fresh.isEmpty()) {
                known.addAll(fresh);
                member.assigned(fresh);
            }
        }

        @Override
        public void begin(int partition, long offset) {
            positions.put(partition, (int) offset);
        }

        @Override
        public void hold(int partition) {
            positions.remove(partition);
        }

        @Override
        public long lag(int partition) {
            Integer position = positions.get(partition);
            return position == null ? 0 : lines.get(partition).size() - position;
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
            Entry entry = new Entry(open(), key, value);
            (topic == Topic.LEDGER ? ledger : ticks).get(partition).add(entry);
            if (topic == Topic.LEDGER) {
                entry.in.unmarked.add(partition);
            }
        }

        @Override
        public void commit(Map<Integer, Long> offsets) throws IOException {
            Transaction one = open();
            open = null;
            if (mustRenew || one.state != State.OPEN) {
                one.state = State.ABORTED;
                throw new Fenced("it was ended by another", null);
            }
            if (!offsets.keySet().stream().allMatch(partition -> name.equals(owners.get(partition)))) {
                one.state = State.ABORTED;
                throw new Fenced("others own these partitions", null);
            }
            Outcome outcome = next;
            next = Outcome.COMMITTED;
            one.offsets.putAll(offsets);
            switch (outcome) {
                case COMMITTED -> one.state = State.COMMITTED;
                case ABORTED -> {
                    one.state = State.ABORTED;
                    throw new IOException("the transaction was aborted");
                }
                case UNKNOWN_COMMITTED -> {
                    one.state = State.COMMITTED;
                    mustRenew = true;
                    throw new Fenced("no answer", null);
                }
                case UNKNOWN_OPEN -> {
                    mustRenew = true;
                    throw new Fenced("no answer", null);
                }
            }
        }

        @Override
        public void renew() {
            complete(name);
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

        @Override
        public Map<Integer, Long> committed(Set<Integer> wanted) {
            Map<Integer, Long> found = new HashMap<>();
            for (int partition : wanted) {
                boolean isPending =
                        transactions.stream().anyMatch(one -> !one.isInOffsets && one.offsets.containsKey(partition));
                if (!isPending) {
                    found.put(partition, committed.getOrDefault(partition, NONE));
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

        /** Reads up to the first record of a transaction whose mark is not there yet. */
        @Override
        public void read(Map<Integer, Long> positions, Records records) {
            positions.replaceAll((partition, position) -> {
                List<Entry> all = ledger.get(partition);
                long at = position;
                for (int i = 0; i < RECORDS_A_READ && at < all.size(); i++, at++) {
                    Entry entry = all.get((int) at);
                    if (entry.in.state == State.OPEN || entry.in.unmarked.contains(partition)) {
                        break;
                    }
                    if (entry.in.state == State.COMMITTED && entry.key != null) {
                        records.put(partition, entry.key, entry.value);
                    }
                }
                return at;
            });
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    /** How many different keys the ledger of this partition has. */
    int keys(int partition) {
        Set<ByteBuffer> keys = new HashSet<>();
        for (Entry entry : ledger.get(partition)) {
            if (entry.in.state == State.COMMITTED && entry.key != null) {
                keys.add(ByteBuffer.wrap(entry.key));
            }
        }
        return keys.size();
    }

    int partitions() {
        return partitions;
    }
}
