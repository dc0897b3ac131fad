package io.counters.cells;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CompletionTest {
    private static int names;

    private final String name = "completion." + names++;
    private final int id = Cells.id(name);

    @Test
    void an_amount_is_added_once_when_the_stage_completes_and_not_before() {
        CompletableFuture<String> stage = new CompletableFuture<>();

        Completion.add(stage, id, 5, true, null);
        assertThat(Sums.of(name)).isZero();

        stage.complete("done");
        assertThat(Sums.of(name)).isEqualTo(5);
    }

    @Test
    void an_outcome_that_is_not_selected_adds_nothing() {
        Completion.add(CompletableFuture.completedFuture("done"), id, 1, false, "");
        Completion.add(CompletableFuture.failedFuture(new IOException()), id, 1, true, null);

        assertThat(Sums.of(name)).isZero();
    }

    @Test
    void a_failure_is_compared_by_its_own_class_and_not_by_its_wrappers() {
        CompletionStage<String> failed = CompletableFuture.failedFuture(new FileNotFoundException());

        Completion.add(failed, id, 1, false, "java.io.IOException;");
        Completion.add(failed.thenApply(String::trim), id, 10, false, "java.io.IOException;");
        Completion.add(failed, id, 100, false, "java.lang.RuntimeException;");

        assertThat(Sums.of(name)).isEqualTo(11);
    }

    @Test
    void null_and_a_stage_that_throws_count_as_normal_and_the_throw_is_counted() {
        int before = Cells.suppressed;

        Completion.add(null, id, 1, true, null);
        Completion.add(new Deaf(), id, 10, true, null);

        assertThat(Sums.of(name)).isEqualTo(11);
        assertThat(Cells.suppressed).isEqualTo(before + 1);
    }

    @Test
    void no_overridable_method_of_a_failure_is_called() {
        CompletableFuture<String> failed = CompletableFuture.failedFuture(new OwnWrapper());

        Completion.add(failed, id, 1, false, "java.util.concurrent.CompletionException;");
        Completion.add(failed, id, 10, false, "java.io.IOException;");

        assertThat(Sums.of(name)).isEqualTo(1);
    }

    private static final class OwnWrapper extends CompletionException {
        OwnWrapper() {
            super(new IOException());
        }

        @Override
        public synchronized Throwable getCause() {
            throw new IllegalStateException("nobody's business");
        }
    }

    @Test
    void a_name_may_contain_the_class_of_the_throwable() {
        String template = name + ",exception={exception},result=failure";

        Completion.addByException(new IOException(), 1, template);
        Completion.addByException(new OwnWrapper(), 10, template);
        Completion.addByException(new IOException() {}, 100, template);

        assertThat(Sums.of(name + ",exception=IOException,result=failure")).isEqualTo(1);
        assertThat(Sums.of(name + ",exception=OwnWrapper,result=failure")).isEqualTo(10);
        assertThat(Sums.of(name + ",exception=anonymous,result=failure")).isEqualTo(100);
    }

    @Test
    void the_class_of_a_throwable_is_cut_so_that_the_name_has_at_most_250_bytes() {
        String metric = name + ".".repeat(238 - name.length() - ",exception=".length());

        Completion.addByException(new IllegalArgumentException(), 1, metric + ",exception={exception}");

        assertThat(Sums.of(metric + ",exception=IllegalArgum")).isEqualTo(1);
    }

    @Test
    void a_stage_that_fails_adds_under_the_class_of_its_throwable_and_one_that_does_not_adds_nothing() {
        String template = name + ",exception={exception}";
        CompletableFuture<String> failing = new CompletableFuture<>();

        Completion.addByException(failing, 1, template);
        Completion.addByException(failing.thenApply(String::trim), 10, template);
        Completion.addByException(CompletableFuture.completedFuture("done"), 100, template);
        Completion.addByException((CompletionStage<?>) null, 1000, template);
        assertThat(Sums.of(name + ",exception=IOException")).isZero();

        failing.completeExceptionally(new IOException());
        assertThat(Sums.of(name + ",exception=IOException")).isEqualTo(11);
        assertThat(Sums.of(name + ",exception=none")).isZero();
    }

    @Test
    void a_suspended_function_adds_nothing() {
        Object suspended = new Object();

        Completion.addUnless(suspended, suspended, id, 1);
        Completion.addUnless(suspended, "result", id, 10);
        Completion.addUnless(suspended, null, id, 100);

        assertThat(Sums.of(name)).isEqualTo(110);
    }

    private static final class Deaf extends CompletableFuture<String> {
        @Override
        public CompletableFuture<String> whenComplete(
                BiConsumer<? super @Nullable String, ? super @Nullable Throwable> action) {
            throw new UnsupportedOperationException();
        }
    }
}
