package io.counters.emit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ResolverTest {
    private static final InetAddress[] NONE = {};

    private final InetAddress[] one = {InetAddress.getLoopbackAddress()};
    private final InetAddress[] other = {InetAddress.getLoopbackAddress(), InetAddress.getLoopbackAddress()};

    @Test
    void a_failure_is_tried_again_after_1_2_4_to_30_seconds_and_an_answer_after_30() {
        List<Long> waits = new ArrayList<>();
        List<InetAddress[]> answers = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            answers.add(NONE);
        }
        answers.addAll(List.of(one, one, NONE, NONE, other));
        Resolver resolver = new Paused(host -> answers.remove(0), 500, waits, 13);

        resolver.lookUntilClosed();

        assertThat(waits)
                .containsExactly(
                        500L, 1_000L, 2_000L, 4_000L, 8_000L, 16_000L, 30_000L, 30_000L, 30_000L, 30_000L, 1_000L,
                        2_000L, 30_000L);
        assertThat(resolver.addresses()).isEqualTo(other);
    }

    @Test
    void the_last_addresses_found_are_kept_after_failures() {
        List<InetAddress[]> answers = new ArrayList<>(List.of(one, NONE));
        Resolver resolver = new Paused(
                host -> {
                    if (answers.isEmpty()) {
                        throw new NoClassDefFoundError("of a broken provider");
                    }
                    return answers.remove(0);
                },
                500,
                new ArrayList<>(),
                5);
        assertThat(resolver.hasAnswered()).isFalse();

        resolver.lookUntilClosed();

        assertThat(resolver.addresses()).isEqualTo(one);
        assertThat(resolver.hasAnswered()).isTrue();
    }

    @Test
    void a_hurried_resolver_looks_up_at_once_and_a_closed_one_ends() throws Exception {
        Resolver resolver = new Resolver("h", host -> one, 60_000);
        assertThat(resolver.isDaemon()).isTrue();
        resolver.start();

        resolver.hurry();
        await().until(() -> resolver.addresses().length > 0);
        resolver.close();

        resolver.join(10_000);
        assertThat(resolver.isAlive()).isFalse();
    }

    @Test
    void a_look_up_that_hangs_has_no_answer_yet() throws Exception {
        CountDownLatch hanging = new CountDownLatch(1);
        Resolver resolver = new Resolver(
                "h",
                host -> {
                    awaited(hanging);
                    return one;
                },
                0);
        resolver.start();

        assertThat(resolver.hasAnswered()).isFalse();
        assertThat(resolver.addresses()).isEmpty();
        hanging.countDown();
        await().until(resolver::hasAnswered);
        resolver.close();
    }

    @Test
    void the_jvm_resolves_localhost_and_returns_no_addresses_for_an_unknown_name() {
        assertThat(Resolver.ofTheJvm("localhost")).isNotEmpty();
        assertThat(Resolver.ofTheJvm("1::2::3")).isEmpty();
    }

    private static void awaited(CountDownLatch latch) {
        try {
            latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException ended) {
            throw new AssertionError(ended);
        }
    }

    /** Records its pauses instead of waiting, and closes itself after a number of them. */
    private static final class Paused extends Resolver {
        private final List<Long> waits;
        private final int most;

        Paused(Function<String, InetAddress[]> names, long firstAfterMillis, List<Long> waits, int most) {
            super("h", names, firstAfterMillis);
            this.waits = waits;
            this.most = most;
        }

        @Override
        void pause(long nanos) {
            waits.add(TimeUnit.NANOSECONDS.toMillis(nanos));
            if (waits.size() == most) {
                close();
            }
        }
    }
}
