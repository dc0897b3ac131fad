package io.counters.collector.fleet;

import io.counters.collector.self.Self;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.TopicPartition;

/** Asks Kafka every few seconds which collectors own which partitions. {@link #run} is for one thread. */
final class Members implements AutoCloseable {
    private static final long ROUND_MILLIS = 5_000;
    private static final long ANSWER_MILLIS = 3_000;

    private final Admin admin;
    private final String group;
    private volatile FleetView view;

    /**
     * @param group of the owners
     * @param self the name of this collector
     * @param partitions how many the fleet has
     */
    Members(Admin admin, String group, String self, int partitions, Self metrics) {
        this.admin = admin;
        this.group = group;
        view = new FleetView(self, partitions, List.of());
        metrics.gauge(
                "fleet_collectors",
                "Collectors of the fleet.",
                () -> view.members().size());
    }

    /** Asks once. What is known stays if there is no answer. Returns the milliseconds until the next call. */
    long run() {
        try {
            ConsumerGroupDescription owners = Objects.requireNonNull(admin.describeConsumerGroups(List.of(group))
                            .describedGroups()
                            .get(group))
                    .get(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
            view = new FleetView(
                    view.self(),
                    view.partitions(),
                    owners.members().stream()
                            .map(Members::member)
                            .sorted(Comparator.comparing(Member::name))
                            .toList());
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException notNow) {
            // The owner says that Kafka is away. This only fills a list on the page.
        }
        return ROUND_MILLIS;
    }

    private static Member member(MemberDescription one) {
        return new Member(
                one.groupInstanceId().orElse(one.clientId()),
                one.host().startsWith("/") ? one.host().substring(1) : one.host(),
                Member.httpPort(one.clientId()),
                one.assignment().topicPartitions().stream()
                        .map(TopicPartition::partition)
                        .collect(Collectors.toSet()));
    }

    /** As it was at the last answer. For any thread. */
    FleetView view() {
        return view;
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
