package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.StreamReport;
import io.counters.collector.simulate.Copies;
import io.counters.emit.Transport;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The ledgers of all partitions together contain what one ledger contains that got the same datagrams. */
@Tag("once")
@Tag("slow")
class GatheringTest {
    private static final int PARTITIONS = 7;
    private static final int STEPS = 300;

    private final RecordedLog log = new RecordedLog();
    private long nowMillis = 5000;
    private final Partition alone = new Partition(() -> nowMillis);
    private final List<Partition> partitions = IntStream.range(0, PARTITIONS)
            .mapToObj(i -> new Partition(() -> nowMillis))
            .toList();

    private Gatherer gatherer(Random random) {
        return new Gatherer(
                log,
                PARTITIONS,
                256 << 20,
                () -> nowMillis * 1_000_000,
                () -> nowMillis,
                new SeededHash(random),
                new SaidFaults().log(),
                new Metrics());
    }

    private static LongStream seeds() {
        return LongStream.range(0, 300);
    }

    private void readRecords() {
        for (RecordedLog.Row row : log.rows) {
            partitions.get(row.partition()).records.merge(row.text(), row.wallMillis(), nowMillis);
        }
        log.clear();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void every_counter_is_in_one_partition_with_the_value_that_it_has_in_one_ledger(long seed) {
        Random random = new Random(seed);
        List<Gatherer> collectors =
                Stream.generate(() -> gatherer(random)).limit(3).toList();
        List<TargetFeed> feeds = collectors.stream().map(TargetFeed::new).toList();
        TargetFeed one = new TargetFeed(LineTarget.of(alone.ledger));
        Traffic traffic = new Traffic(random, datagram -> {
            one.datagram(datagram);
            feeds.get(random.nextInt(feeds.size())).datagram(datagram);
        });

        for (int step = 0; step < STEPS; step++) {
            traffic.step(nowMillis);
            if (random.nextInt(8) == 0) {
                nowMillis += random.nextInt(200);
                log.hasRoom = random.nextInt(4) > 0;
                collectors.get(random.nextInt(3)).run();
            }
            if (random.nextInt(20) == 0) {
                readRecords();
            }
        }
        traffic.answered(nowMillis);
        collectors.forEach(Gatherer::close);
        readRecords();

        for (int i = 0; i < Traffic.NAMES; i++) {
            String name = Traffic.name(i);
            byte[] bytes = name.getBytes(ISO_8859_1);
            int home = Partitions.of(bytes, 0, bytes.length, PARTITIONS, new java.util.zip.CRC32C());
            assertThat(alone.ledger.value(name)).as(name).isEqualTo(traffic.expected(i));
            assertThat(partitions.get(home).ledger.value(name)).as(name).isEqualTo(traffic.expected(i));
        }
        assertThat(partitions.stream().mapToInt(partition -> partition.ledger.size()))
                .as("counters in all partitions")
                .satisfies(sizes -> assertThat(
                                sizes.stream().mapToInt(Integer::intValue).sum())
                        .isEqualTo(alone.ledger.size()));
        assertThat(Stream.concat(Stream.of(alone), partitions.stream())
                        .flatMap(partition -> partition.ledger.reports().stream()))
                .isNotEmpty()
                .noneMatch(StreamReport::cloned);
    }

    /** Their numbers are counted in one partition; the names of the others are judged, too. */
    @Test
    void two_copies_of_a_program_are_noticed_in_each_partition_that_has_a_name_which_both_count() {
        String id = "c09ed0000000000000000001";
        Gatherer collector = gatherer(new Random(1));
        Transport feed = transport(new TargetFeed(collector));
        Copies copies = new Copies(id, feed);

        nowMillis += 100;
        collector.run();
        readRecords();
        assertThat(partitions)
                .allSatisfy(partition -> assertThat(partition.ledger.reports()).noneMatch(StreamReport::cloned));

        for (int turn = 0; turn < 10; turn++) {
            copies.count(feed);
            nowMillis += 100;
            collector.run();
            readRecords();
        }

        assertThat(partitions.stream().filter(partition -> partition.ledger.size() > 0))
                .hasSizeGreaterThan(PARTITIONS / 2)
                .allSatisfy(partition ->
                        assertThat(partition.ledger.reports()).singleElement().matches(StreamReport::cloned));
    }

    private static Transport transport(TargetFeed feed) {
        return (bytes, length) -> {
            feed.datagram(Arrays.copyOf(bytes, length));
            return true;
        };
    }

    /** Of such streams only amounts count, so that each amount matters. */
    @ParameterizedTest
    @MethodSource("seeds")
    void streams_that_are_not_whole_count_by_the_same_amounts(long seed) {
        Stream.concat(Stream.of(alone), partitions.stream()).forEach(partition -> partition.ledger.forgetEarlier());
        nowMillis += 1000;
        Random random = new Random(seed);
        Gatherer collector = gatherer(random);
        TargetFeed feed = new TargetFeed(collector);
        TargetFeed one = new TargetFeed(LineTarget.of(alone.ledger));
        Traffic traffic = new Traffic(
                random,
                datagram -> {
                    one.datagram(datagram);
                    feed.datagram(datagram);
                },
                false);

        for (int step = 0; step < STEPS; step++) {
            traffic.step(nowMillis);
            nowMillis += random.nextInt(10);
            collector.run();
        }
        collector.close();
        readRecords();

        assertThat(alone.counted("ledger_in_doubt_total")).isPositive();
        for (int i = 0; i < Traffic.NAMES; i++) {
            String name = Traffic.name(i);
            assertThat(alone.ledger.value(name)).as(name).isEqualTo(traffic.expected(i));
            assertThat(partitions.stream().mapToLong(partition -> partition.ledger.value(name)))
                    .as(name)
                    .contains(traffic.expected(i));
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void datagrams_are_counted_as_in_one_ledger(long seed) {
        Random random = new Random(seed);
        Gatherer collector = gatherer(random);
        TargetFeed feed = new TargetFeed(collector);
        TargetFeed one = new TargetFeed(LineTarget.of(alone.ledger));
        Traffic traffic = new Traffic(random, datagram -> {
            one.datagram(datagram);
            feed.datagram(datagram);
        });

        for (int step = 0; step < STEPS; step++) {
            traffic.step(nowMillis);
            nowMillis += random.nextInt(20);
            collector.run();
        }
        collector.close();
        readRecords();

        assertThat(arrivals(partitions.stream())).isEqualTo(arrivals(Stream.of(alone)));
    }

    /** The streams whose datagrams somebody counts: sent, received, repeated and lost. */
    private static List<String> arrivals(Stream<Partition> of) {
        return of.flatMap(partition -> partition.ledger.reports().stream())
                .filter(report -> report.received() > 0)
                .sorted(Comparator.comparing(StreamReport::sender))
                .map(report -> report.sender() + " " + report.sent() + " " + report.received() + " " + report.repeated()
                        + " " + report.lost())
                .toList();
    }
}
