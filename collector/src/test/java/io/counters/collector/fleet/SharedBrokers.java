package io.counters.collector.fleet;

import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Brokers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;

/** Brokers that the tests of a class share. */
final class SharedBrokers {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private SharedBrokers() {}

    /** A name for topics that no other test has. */
    static String newName() {
        return "test-" + NUMBER.incrementAndGet();
    }

    /**
     * Undoes what a test before may have done to them, and waits until each of them takes topics again: one that was paused is
     * taken for dead until it has told the controller that it is not.
     */
    static void heal(Brokers brokers) throws Exception {
        brokers.heal();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers.bootstrap()))) {
            await("brokers that take topics")
                    .pollInSameThread()
                    .ignoreExceptionsMatching(no -> no.getCause() instanceof InvalidReplicationFactorException)
                    .until(() -> {
                        // With as many replicas as there are brokers.
                        admin.createTopics(List.of(new NewTopic(newName(), Optional.empty(), Optional.empty())))
                                .all()
                                .get(60, TimeUnit.SECONDS);
                        return true;
                    });
        }
    }
}
