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
    /** As long as the checks of the start wait. */
    private static final int MAKE_MILLIS = 10_000;

    private static final int LOOK_MILLIS = 3_000;

    /** Behind all records, so that nobody takes the group for one that lags. */
    private static final long OFFSET = Long.MAX_VALUE;

    private final String group;
    private final TopicPartition partition;
    private final String process;
    private final Admin admin;

    /**
     * Claims the name.
     *
     * @param process differs from that of every other process
     * @throws IOException if the claim is not known to be made
     */
    InstanceClaim(FleetSettings settings, String process) throws IOException {
        Topics topics = settings.topics();
        group = topics.owner(settings.instance());
        partition = new TopicPartition(topics.lines(), 0);
        this.process = process;
        admin = Admin.create(settings.admin("claim", Map.of("default.api.timeout.ms", MAKE_MILLIS)));
        Map<TopicPartition, OffsetAndMetadata> claim = Map.of(partition, new OffsetAndMetadata(OFFSET, process));
        try {
            answer(admin.alterConsumerGroupOffsets(group, claim).all(), MAKE_MILLIS);
        } catch (IOException notMade) {
            close();
            throw notMade;
        }
    }

    /** Whether another process has claimed the name since. */
    boolean isLost() throws IOException {
        OffsetAndMetadata last = answer(
                        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(), LOOK_MILLIS)
                .get(partition);
        // Brokers forget it after days.
        return last != null && !last.metadata().equals(process);
    }

    private static <T> T answer(KafkaFuture<T> future, int millis) throws IOException {
        try {
            return future.get(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", hurried);
        } catch (TimeoutException late) {
            throw unknown("no answer within " + millis / 1000 + " s; see the log of the brokers", late);
        } catch (ExecutionException failed) {
            throw unknown(Faults.reason(failed.getCause() == null ? failed : failed.getCause()), failed);
        }
    }

    private static IOException unknown(String why, Exception cause) {
        return new IOException("it is not known which process has the instance name: " + why, cause);
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
