package io.counters.spring;

import static io.counters.junit.CountedAssert.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.counters.Count;
import io.counters.junit.Counted;
import io.counters.junit.CountersExtension;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@ExtendWith({CountersExtension.class, OutputCaptureExtension.class})
class CountBeanPostProcessorTest {
    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(CountersAutoConfiguration.class))
            .withPropertyValues(
                    "management.counters.export.enabled=false",
                    "management.counters.export.tags=env=test",
                    "spring.application.name=shop");

    /** A method for each rule. */
    static class Rules {
        @Count("rules.entry")
        void entry() {
            throw new IllegalStateException();
        }

        @Count(
                value = "rules.return",
                when = Count.When.RETURN,
                errors = "+.errors",
                on = IllegalArgumentException.class)
        public void returns(@Nullable RuntimeException failure) {
            if (failure != null) {
                throw failure;
            }
        }

        @Count(value = "rules.throw", when = Count.When.THROW, on = RuntimeException.class)
        @Count(value = "rules.exit,a=1", when = Count.When.EXIT, amount = 5)
        public void either(Exception failure) throws Exception {
            if (failure != null) {
                throw failure;
            }
        }

        @Count(inFlight = "rules.{simpleClass}.open,app={app}")
        public void open(Runnable meanwhile) {
            meanwhile.run();
        }

        @Count(
                value = "rules.async",
                when = Count.When.RETURN,
                errors = "rules.async.errors",
                inFlight = "rules.async.open",
                async = true)
        public CompletionStage<String> later(CompletableFuture<String> result) {
            return result;
        }

        @Count(value = "rules.no.stage", async = true)
        public String noStage() {
            return "";
        }

        @Count("rules.inner")
        public void inner() {}

        public void outer() {
            inner();
        }

        @Count("rules.private")
        private void hidden() {}
    }

    static class Last {
        @Count("last.final")
        public final void last() {}
    }

    private void with(Class<?> bean, Consumer<ApplicationContext> test) {
        application.withBean(bean).run(context -> {
            assertThat(context).hasNotFailed();
            test.accept(context);
        });
    }

    @Test
    void a_call_counts_at_its_moment_and_what_it_throws_passes_through(Counted counters) {
        with(Rules.class, context -> {
            Rules rules = context.getBean(Rules.class);
            IllegalArgumentException failure = new IllegalArgumentException();

            assertThatIllegalStateException().isThrownBy(rules::entry);
            rules.returns(null);
            assertThatExceptionOfType(IllegalArgumentException.class)
                    .isThrownBy(() -> rules.returns(failure))
                    .isSameAs(failure);
            assertThatIllegalStateException().isThrownBy(() -> rules.returns(new IllegalStateException()));
            assertThatExceptionOfType(Exception.class).isThrownBy(() -> rules.either(new Exception()));
            assertThatIllegalStateException().isThrownBy(() -> rules.either(new IllegalStateException()));

            assertThat(counters)
                    .counted("rules.entry", 1)
                    .counted("rules.return", 1)
                    .counted("rules.return.errors", 1)
                    .counted("rules.throw", 1)
                    .counted("rules.exit,a=1", 10);
        });
    }

    @Test
    void names_have_placeholders_and_default_names_have_the_tags(Counted counters) {
        with(Rules.class, context -> {
            context.getBean(Rules.class)
                    .open(() -> assertThat(counters)
                            .counted("io.counters.spring.CountBeanPostProcessorTest.Rules.open,env=test", 1)
                            .counted("rules.CountBeanPostProcessorTest.Rules.open,app=shop", 1));

            assertThat(counters).notCounted("rules.CountBeanPostProcessorTest.Rules.open,app=shop");
        });
    }

    @Test
    void the_outcome_of_a_stage_counts_when_it_completes(Counted counters) {
        with(Rules.class, context -> {
            Rules rules = context.getBean(Rules.class);
            CompletableFuture<String> first = new CompletableFuture<>();
            CompletableFuture<String> second = new CompletableFuture<>();

            assertThat(rules.later(first)).isSameAs(first);
            rules.later(second);

            assertThat(counters).counted("rules.async.open", 2).notCounted("rules.async");
            first.complete("");
            second.completeExceptionally(new CompletionException(new IllegalStateException()));
            assertThat(counters)
                    .counted("rules.async", 1)
                    .counted("rules.async.errors", 1)
                    .notCounted("rules.async.open");
        });
    }

    @Test
    void what_a_proxy_cannot_count_is_logged(Counted counters, CapturedOutput output) {
        with(Rules.class, context -> {
            Rules rules = context.getBean(Rules.class);
            rules.outer();
            rules.hidden();
            rules.noStage();

            assertThat(counters.amounts()).isEmpty();
            String place = Rules.class.getName();
            assertThat(output)
                    .contains(
                            place + ".hidden: @Count is not counted, because Spring cannot intercept calls of a private"
                                    + " method; start the JVM with -javaagent:counters.jar to count it")
                    .contains(place + ".noStage: async is for methods declared to return a CompletionStage")
                    .contains("@Count counts calls of Spring beans through their proxies.");
        });
    }

    @Test
    void a_final_method_with_an_annotation_is_logged(CapturedOutput output) {
        with(
                Last.class,
                context -> assertThat(output)
                        .contains(Last.class.getName()
                                + ".last: @Count is not counted, because Spring cannot intercept calls of a final"));
    }

    @Count
    static class OnClass {
        public void open() {}

        @Count("on.class.own")
        public void own() {}

        void hidden() {}

        @Override
        public String toString() {
            return "OnClass";
        }
    }

    static class Override1 extends OnClass {
        @Override
        public void open() {}
    }

    @Test
    void an_annotation_on_a_class_counts_its_public_methods_and_no_overrides(Counted counters) {
        with(Override1.class, context -> {
            OnClass bean = context.getBean(OnClass.class);
            bean.open();
            bean.own();

            assertThat(counters.amounts()).containsOnlyKeys("on.class.own");
        });
        with(OnClass.class, context -> {
            OnClass bean = context.getBean(OnClass.class);
            bean.open();
            bean.hidden();
            assertThat(bean).hasToString("OnClass");

            assertThat(counters.amounts())
                    .containsOnlyKeys(
                            "on.class.own", "io.counters.spring.CountBeanPostProcessorTest.OnClass.open,env=test");
        });
    }

    record Final(String name) {
        Final() {
            this("final");
        }

        @Count("final.counted")
        public void counted() {}
    }

    @Test
    void a_bean_of_a_final_class_stays_as_it_is(Counted counters, CapturedOutput output) {
        with(Final.class, context -> {
            context.getBean(Final.class).counted();

            assertThat(counters.amounts()).isEmpty();
            assertThat(output)
                    .contains("Final.counted: @Count is not counted, because Spring cannot intercept calls of a"
                            + " method of a final class");
        });
    }

    static class Cached {
        @Cacheable("prices")
        @Count("cached.read")
        public String price(String of) {
            return "price of " + of;
        }
    }

    @Configuration
    @EnableCaching(proxyTargetClass = true)
    static class Caching {
        @Bean
        CacheManager caches() {
            return new ConcurrentMapCacheManager();
        }
    }

    @Test
    void only_calls_that_reach_the_method_count(Counted counters) {
        application.withUserConfiguration(Caching.class).withBean(Cached.class).run(context -> {
            Cached cached = context.getBean(Cached.class);
            cached.price("tea");
            cached.price("tea");
            cached.price("milk");

            assertThat(counters).counted("cached.read", 2);
        });
    }

    /** Its class file has the text that marks one that the build has instrumented. */
    static class Woven {
        @Count("woven.counted")
        public String counted() {
            return "io.counters.Woven";
        }
    }

    @Test
    void a_class_that_the_build_has_instrumented_counts_by_itself(Counted counters) {
        with(Woven.class, context -> {
            context.getBean(Woven.class).counted();

            assertThat(counters.amounts()).isEmpty();
        });
    }

    static class Unmarked {
        public void open() {}
    }

    @Test
    void other_beans_have_no_proxy() {
        with(
                Unmarked.class,
                context ->
                        assertThat(context.getBean(Unmarked.class).getClass()).isSameAs(Unmarked.class));
    }
}
