package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The rules that keep a fleet's counters exact. A simulation leaves one out to show that it would see it: by what stands
 * between the real parts and their logs, never in the parts themselves.
 */
enum Rule {
    /** Every stream is announced to every partition when a collector first hears it. */
    ANNOUNCED_AT_FIRST_CONTACT,
    /** And once an hour from then on. */
    ANNOUNCED_HOURLY,
    /** A stream is older by the time that its line waited in the log. */
    BACKLOG_IN_THE_AGE,
    /** Lines with totals that are 2^53 or more apart are not merged. */
    JUMPS_APART,
    /** Repeats of totals are passed on. */
    REPEATS_PASSED_ON,
    /** The offsets of merged lines are in the transaction. */
    OFFSETS_IN_THE_TRANSACTION,
    /** A tick is in the transaction. */
    TICK_IN_THE_TRANSACTION,
    /** A ledger is read up to its end, not only to the first record that is undecided. */
    LOAD_TO_THE_END,
    /** The end is asked for after the offset is known. */
    OFFSET_BEFORE_END,
    /** Only what is committed is read. */
    COMMITTED_ONLY,
    /** What was aborted becomes part of the next transaction. */
    ABORTED_IS_PUT_BACK,
    /** Whoever does not know what was committed asks. */
    DOUBT_ASKS,
    /** So does whoever has met the others. */
    MEETING_ASKS,
    /** The answer says which state of the ledger belongs to the offset. */
    MARK_WITH_THE_OFFSET,
    /** The answer waits for pending transactions. */
    PENDING_IS_AWAITED,
    /** The answer is no older than the question. */
    ANSWER_IS_NEW,
    /** Who is out of date commits nothing. */
    GENERATION_WITH_THE_OFFSETS,
    /** The clocks of collectors differ by seconds only. */
    CLOCKS_AGREE;

    /** The owner's log without this rule. */
    OwnerLog leftOut(MemoryLog log, MemoryLog.Of of, LongSupplier wallMillis) {
        return new Lines(log, of, wallMillis);
    }

    private final class Lines implements OwnerLog {
        private final MemoryLog log;
        private final MemoryLog.Of of;
        private final LongSupplier wallMillis;

        Lines(MemoryLog log, MemoryLog.Of of, LongSupplier wallMillis) {
            this.log = log;
            this.of = of;
            this.wallMillis = wallMillis;
        }

        @Override
        public void poll(long waitMillis, Member member) {
            log.takesEverything = Rule.this == GENERATION_WITH_THE_OFFSETS;
            of.poll(waitMillis, new Member() {
                @Override
                public void assigned(Collection<Integer> partitions) {
                    member.assigned(partitions);
                }

                @Override
                public void revoked(Collection<Integer> partitions) {
                    member.revoked(partitions);
                }

                @Override
                public void lost(Collection<Integer> partitions) {
                    member.lost(partitions);
                }

                @Override
                public void met(Set<Integer> mine) {
                    if (Rule.this != MEETING_ASKS) {
                        member.met(mine);
                    }
                }

                @Override
                public void lines(int partition, long offset, long timeMillis, byte[] text) {
                    boolean isAgeLeftOut = Rule.this == BACKLOG_IN_THE_AGE;
                    member.lines(partition, offset, isAgeLeftOut ? wallMillis.getAsLong() : timeMillis, text);
                }

                @Override
                public void moved(int partition, long from, long to) {
                    member.moved(partition, from, to);
                }
            });
        }

        @Override
        public boolean isMember() {
            return of.isMember();
        }

        @Override
        public void begin(int partition, long offset) {
            of.begin(partition, offset);
        }

        @Override
        public void hold(int partition) {
            of.hold(partition);
        }

        @Override
        public OptionalLong lag(int partition) {
            return of.lag(partition);
        }

        @Override
        public void append(Topic topic, int partition, byte @Nullable [] key, byte @Nullable [] value) {
            if (Rule.this == TICK_IN_THE_TRANSACTION && topic == Topic.TICKS && value != null) {
                log.addTick(partition, value);
            } else {
                of.append(topic, partition, key, value);
            }
        }

        @Override
        public void commit(Map<Integer, Committed> offsets) throws IOException {
            if (Rule.this == OFFSETS_IN_THE_TRANSACTION && of.isPresent()) {
                log.commitOffsets(offsets);
            }
            try {
                of.commit(offsets);
            } catch (InDoubt inDoubt) {
                if (Rule.this != DOUBT_ASKS) {
                    throw inDoubt;
                }
                of.renew();
                throw new IOException(inDoubt);
            } catch (IOException aborted) {
                if (Rule.this != ABORTED_IS_PUT_BACK) {
                    throw aborted;
                }
            }
        }

        @Override
        public void renew() throws IOException {
            of.renew();
        }

        @Override
        public void close() {
            of.close();
        }
    }

    /** The loader's log without this rule. */
    LoaderLog leftOut(MemoryLog log, MemoryLog.Loading of) {
        of.readsEverything = this == COMMITTED_ONLY;
        of.isHasty = this == PENDING_IS_AWAITED;
        return new Ledgers(log, of);
    }

    private final class Ledgers implements LoaderLog {
        private final MemoryLog log;
        private final MemoryLog.Loading of;
        private final Map<Integer, Long> early = new HashMap<>();

        /** By what was asked. */
        private final Map<Set<Integer>, Map<Integer, Committed>> answers = new HashMap<>();

        Ledgers(MemoryLog log, MemoryLog.Loading of) {
            this.log = log;
            this.of = of;
        }

        @Override
        public Map<Integer, Committed> committed(Set<Integer> partitions) {
            if (Rule.this == MARK_WITH_THE_OFFSET) {
                Map<Integer, Committed> found = of.committed(partitions);
                found.replaceAll((partition, one) -> new Committed(one.offset(), "any"));
                return found;
            }
            if (Rule.this == ANSWER_IS_NEW) {
                Map<Integer, Committed> found = of.committed(partitions);
                Map<Integer, Committed> late = answers.put(Set.copyOf(partitions), found);
                return late == null ? found : late;
            }
            if (Rule.this != OFFSET_BEFORE_END) {
                return of.committed(partitions);
            }
            early.keySet().retainAll(partitions);
            Set<Integer> asked = Set.copyOf(early.keySet());
            of.ends(partitions).forEach(early::putIfAbsent);
            return of.committed(asked);
        }

        @Override
        public Map<Integer, Long> ends(Set<Integer> partitions) {
            Map<Integer, Long> ends = of.ends(partitions);
            switch (Rule.this) {
                case LOAD_TO_THE_END -> ends.replaceAll((partition, end) -> log.lastStable(partition));
                case OFFSET_BEFORE_END -> ends.replaceAll(early::getOrDefault);
                default -> {
                    // As it should be.
                }
            }
            return ends;
        }

        @Override
        public void read(Map<Integer, Long> positions, Records records) {
            of.read(positions, records);
        }

        @Override
        public String topic() {
            return of.topic();
        }

        @Override
        public void close() {
            of.close();
        }
    }

    /** What a collector sends, without this rule. */
    final class Sent {
        private final int partitions;
        private final Set<String> known = new HashSet<>();

        Sent(int partitions) {
            this.partitions = partitions;
        }

        /** The text of a record, as it is without the rule; it may be empty. */
        byte[] text(int partition, byte[] text) {
            return switch (Rule.this) {
                case ANNOUNCED_AT_FIRST_CONTACT, ANNOUNCED_HOURLY, REPEATS_PASSED_ON, JUMPS_APART ->
                    changed(partition, text);
                default -> text;
            };
        }

        private byte[] changed(int partition, byte[] text) {
            List<String> left = new ArrayList<>();
            List<String> lines = new String(text, ISO_8859_1).lines().toList();
            String stream = "";
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                String[] words = line.split(" ", -1);
                if (words[0].equals("from")) {
                    stream = words[1];
                    boolean isAlone = i + 1 == lines.size() || lines.get(i + 1).startsWith("from ");
                    boolean isAnnounced = isAlone && words.length == 3;
                    if (isAnnounced && !isPassedOn(partition, stream)) {
                        continue;
                    }
                    left.add(line);
                } else if (words.length != 4
                        || Rule.this != REPEATS_PASSED_ON
                        || known.add(stream + line.replaceFirst(" \\d+ ", " "))) {
                    merge(left, line);
                }
            }
            StringBuilder all = new StringBuilder();
            left.forEach(line -> all.append(line).append('\n'));
            return all.toString().getBytes(ISO_8859_1);
        }

        private boolean isPassedOn(int partition, String stream) {
            boolean isFirst = known.size() < partitions * 1_000 && known.add(partition + " " + stream);
            return switch (Rule.this) {
                case ANNOUNCED_AT_FIRST_CONTACT -> !isFirst;
                case ANNOUNCED_HOURLY -> isFirst;
                default -> true;
            };
        }

        /** Adds a line; without the rule about jumps, merged with the one of the same stream before it. */
        private void merge(List<String> left, String line) {
            for (int i = left.size() - 1;
                    Rule.this == JUMPS_APART && i >= 0 && !left.get(i).startsWith("from ");
                    i--) {
                String[] one = left.get(i).split(" ", -1);
                String[] other = line.split(" ", -1);
                if (one.length == 4 && other.length == 4 && one[0].equals(other[0]) && one[1].equals(other[1])) {
                    boolean isLower = Long.parseLong(one[3]) <= Long.parseLong(other[3]);
                    String[] low = isLower ? one : other;
                    String[] high = isLower ? other : one;
                    long amount = Long.parseLong(low[2]) + (Long.parseLong(high[3]) - Long.parseLong(low[3]));
                    left.set(i, high[0] + " " + high[1] + " " + amount + " " + high[3]);
                    return;
                }
            }
            left.add(line);
        }
    }
}
