package io.counters.spring;

import static io.counters.junit.CountedAssert.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.Count;
import io.counters.junit.Counted;
import io.counters.junit.CountersExtension;
import io.counters.wire.NameTemplates;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.ContextRefreshedEvent;
import org.springframework.context.event.EventListener;

/** Which objects count, where there may be no proxy, several, or an agent. */
@ExtendWith({CountersExtension.class, OutputCaptureExtension.class})
class ProxiesTest {
    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(CountersAutoConfiguration.class))
            .withPropertyValues("management.counters.export.enabled=false");

    static class Orders {
        @Count(value = "proxies.placed", inFlight = "proxies.open")
        public void place() {}

        public void other() {}
    }

    static class Twice {
        @Bean
        Orders orders() {
            return new Orders();
        }

        @Bean
        Orders audited(Orders orders) {
            ProxyFactory audit = new ProxyFactory(orders);
            audit.setProxyTargetClass(true);
            return (Orders) audit.getProxy();
        }
    }

    @Test
    void a_call_through_two_proxies_counts_once(Counted counters) {
        application.withUserConfiguration(Twice.class).run(context -> {
            context.getBean("audited", Orders.class).place();

            assertThat(counters).counted("proxies.placed", 1);
        });
    }

    static class WithFinal {
        private final List<String> items = new ArrayList<>();

        @Count("proxies.with.final")
        public void add() {
            items.add("");
        }

        public final int size() {
            return items.size();
        }
    }

    @Test
    void a_bean_with_a_final_method_stays_as_it_is(Counted counters, CapturedOutput output) {
        application.withBean(WithFinal.class).run(context -> {
            WithFinal bean = context.getBean(WithFinal.class);
            bean.add();

            assertThat(bean.size()).isEqualTo(1);
            assertThat(counters.amounts()).isEmpty();
            assertThat(output)
                    .contains("WithFinal: @Count is not counted, because the proxy that would count it breaks the final"
                            + " method size; make it not final, or start the JVM with -javaagent:counters.jar");
        });
    }

    static class Listening {
        private final AtomicInteger heard = new AtomicInteger();

        @Count("proxies.listening")
        public int heard() {
            return heard.get();
        }

        @EventListener(ContextRefreshedEvent.class)
        @SuppressWarnings("UnusedMethod") // Spring calls it.
        private void hear() {
            heard.incrementAndGet();
        }
    }

    @Test
    void a_bean_with_a_private_method_that_spring_calls_stays_as_it_is(Counted counters, CapturedOutput output) {
        application.withBean(Listening.class).run(context -> {
            assertThat(context).hasNotFailed();

            assertThat(context.getBean(Listening.class).heard()).isEqualTo(1);
            assertThat(counters.amounts()).isEmpty();
            assertThat(output).contains("breaks the private method hear; make it package-private");
        });
    }

    @Test
    void once_an_agent_counts_the_advice_counts_nothing(Counted counters) {
        AtomicBoolean agent = new AtomicBoolean();
        CountBeanPostProcessor processor = new CountBeanPostProcessor(plans(), agent::get, line -> {});
        Orders orders = (Orders) processor.postProcessAfterInitialization(new Orders(), "orders");

        orders.place();
        agent.set(true);
        orders.place();

        assertThat(counters).counted("proxies.placed", 1);
        assertThat(AopUtils.isAopProxy(processor.postProcessAfterInitialization(new WithoutFinal(), "later")))
                .isFalse();
    }

    static class WithoutFinal {
        @Count("proxies.later")
        public void place() {}
    }

    /** An agent that has begun but failed, or is still instrumenting, counts nothing. */
    @Test
    void an_agent_that_is_only_present_does_not_count() {
        System.setProperty("io.counters.agent", "test");
        try {
            assertThat(CountersSending.doesAgentCount()).isFalse();
            System.setProperty("io.counters.agent.counts", "test");
            assertThat(CountersSending.doesAgentCount())
                    .as("there is no bridge in this JVM")
                    .isFalse();
        } finally {
            System.clearProperty("io.counters.agent");
            System.clearProperty("io.counters.agent.counts");
        }
    }

    @Test
    void methods_without_an_annotation_have_no_plan_of_their_own() throws Exception {
        MethodPlans plans = plans();

        assertThat(plans.of(Orders.class.getMethod("other"), Orders.class)).isSameAs(MethodPlan.EMPTY);
        assertThat(plans.of(Orders.class.getMethod("place"), Orders.class).isEmpty())
                .isFalse();
        assertThat(plans.haveMarks(Orders.class)).isTrue();
        assertThat(plans.haveMarks(ArrayList.class)).isFalse();
    }

    private static MethodPlans plans() {
        return new MethodPlans(new NameTemplates("host", "app", "", line -> {}), line -> {});
    }
}
