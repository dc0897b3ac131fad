package io.counters.collector.fleet;

import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Brokers;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Brokers that the tests of a class share. All of them run, and take topics, before each test. */
final class SharedBrokers implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final int count;
    private @Nullable Brokers brokers;

    SharedBrokers(int count) {
        this.count = count;
    }

    /** A name for topics that no other test has. */
    static String newName() {
        return "test-" + NUMBER.incrementAndGet();
    }

    Brokers get() {
        return Objects.requireNonNull(brokers);
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        brokers = Brokers.start(count);
    }

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        get().heal();
        // One that was paused is taken for dead until it has told the controller that it is not.
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", get().bootstrap()))) {
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

    @Override
    public void afterAll(ExtensionContext context) {
        if (brokers != null) {
            brokers.close();
        }
    }
}
