package io.counters.collector.fleet;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/**
 * Which process has an instance name: the last one that claimed it. Each does so before it first joins the group, which refuses
 * all but the last to join, and does not tell who that is: another process that began later, a former one that went on after a
 * pause, or a request of this process itself that a broker handled late.
 *
 * <p>The claim is the metadata of an offset of a group without members. For one thread.
 */
final class InstanceClaim implements AutoCloseable {
    private static final int ANSWER_MILLIS = 3_000;

    /** Behind all records, so that nobody takes the group for one that lags. */
    private static final long OFFSET = Long.MAX_VALUE;

    private final String group;
    private final TopicPartition partition;
    private final String process;
    private final Admin admin;
    private boolean isMade;

    /** @param process differs from that of every other process */
    InstanceClaim(FleetSettings settings, String process) {
        Topics topics = settings.topics();
        group = topics.owner(settings.instance());
        partition = new TopicPartition(topics.lines(), 0);
        this.process = process;
        admin = Admin.create(settings.admin("claim", Map.of("default.api.timeout.ms", FleetSettings.REQUEST_MILLIS)));
    }

    /** Claims the name, once. */
    void make() throws IOException {
        if (!isMade) {
            Map<TopicPartition, OffsetAndMetadata> claim = Map.of(partition, new OffsetAndMetadata(OFFSET, process));
            answer(admin.alterConsumerGroupOffsets(group, claim).all());
            isMade = true;
        }
    }

    /** Whether another process has claimed the name since. */
    boolean isLost() throws IOException {
        OffsetAndMetadata last = answer(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
                .get(partition);
        // Brokers forget it after days.
        return last != null && !last.metadata().equals(process);
    }

    private static <T> T answer(KafkaFuture<T> future) throws IOException {
        try {
            return future.get(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", hurried);
        } catch (ExecutionException | TimeoutException failed) {
            throw new IOException("it is not known who has the instance name (" + Faults.reason(failed) + ")", failed);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
