package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BoundedCommitTest {
    private final ExecutorService committing = Executors.newSingleThreadExecutor();
    private final ExecutorService callers = Executors.newCachedThreadPool();
    private final Semaphore disk = new Semaphore(0);
    private final AtomicInteger begun = new AtomicInteger();
    private volatile boolean works = true;

    @AfterEach
    void close() {
        disk.release(1000);
        committing.shutdown();
        callers.shutdown();
    }

    private boolean write() {
        begun.incrementAndGet();
        disk.acquireUninterruptibly();
        return works;
    }

    @Test
    void callers_get_the_result_of_a_commit_that_began_after_their_call_and_share_it() throws Exception {
        BoundedCommit commit = new BoundedCommit(this::write, committing, 60_000);
        Future<Boolean> first = callers.submit(commit::run);
        await().until(() -> begun.get() == 1);
        AtomicInteger called = new AtomicInteger();
        Callable<Boolean> call = () -> {
            called.incrementAndGet();
            return commit.run();
        };
        List<Future<Boolean>> others = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            others.add(callers.submit(call));
        }
        await().until(() -> called.get() == 10);

        disk.release();
        assertThat(first.get(60, TimeUnit.SECONDS)).isTrue();
        await().until(() -> begun.get() == 2);
        assertThat(others).noneMatch(Future::isDone);
        works = false;
        disk.release(100);
        for (Future<Boolean> other : others) {
            assertThat(other.get(60, TimeUnit.SECONDS)).isFalse();
        }
        // Those that were on their way when the second one began share a third one.
        assertThat(begun.get()).isBetween(2, 3);
    }

    @Test
    void a_disk_that_hangs_keeps_nobody_longer_than_the_limit() {
        BoundedCommit commit = new BoundedCommit(this::write, committing, 20);

        assertThat(commit.run()).isFalse();
        assertThat(commit.run()).isFalse();
        assertThat(commit.run()).isFalse();

        // Each call queues no commit of its own.
        await().until(() -> begun.get() == 1);
        disk.release(100);
        await().until(commit::run);
    }

    @Test
    void after_the_end_nothing_is_known_to_be_on_disk() {
        committing.shutdown();

        assertThat(new BoundedCommit(this::write, committing, 60_000).run()).isFalse();
    }
}
