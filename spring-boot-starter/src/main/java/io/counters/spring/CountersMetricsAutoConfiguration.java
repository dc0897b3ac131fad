package io.counters.spring;

import io.counters.micrometer.CountersMeterRegistry;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;

/** The Micrometer registry; Boot joins it with other registries, and binds its own meters to it. */
@AutoConfiguration(
        afterName = {
            "org.springframework.boot.actuate.autoconfigure.metrics.MetricsAutoConfiguration",
            "org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration"
        },
        beforeName = {
            "org.springframework.boot.actuate.autoconfigure.metrics.CompositeMeterRegistryAutoConfiguration",
            "org.springframework.boot.actuate.autoconfigure.metrics.export.simple.SimpleMetricsExportAutoConfiguration",
            "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
            "org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration"
        })
@ConditionalOnClass(MeterRegistry.class)
@Conditional(ExportEnabled.class)
class CountersMetricsAutoConfiguration {
    private static final Log log = LogFactory.getLog(CountersMeterRegistry.class);

    /**
     * A registry that is open until it is destroyed, after the beans that count with it. Boot closes registries when the
     * context begins to close, before the server has finished its requests.
     */
    static final class ContextRegistry extends CountersMeterRegistry {
        ContextRegistry(Clock clock) {
            super(clock, log::info, log::warn);
        }

        @Override
        public void close() {}

        void destroy() {
            super.close();
        }
    }

    @Bean(destroyMethod = "destroy")
    @ConditionalOnMissingBean(CountersMeterRegistry.class)
    ContextRegistry countersMeterRegistry(ObjectProvider<Clock> clock) {
        return new ContextRegistry(clock.getIfAvailable(() -> Clock.SYSTEM));
    }
}
