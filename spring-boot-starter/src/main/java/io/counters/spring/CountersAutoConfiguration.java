package io.counters.spring;

import io.counters.wire.NameTemplates;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.Environment;

/** Sends, and counts the calls of beans that have {@code @Count}. */
@AutoConfiguration
@EnableConfigurationProperties(CountersProperties.class)
class CountersAutoConfiguration {
    private static final Log log = LogFactory.getLog("io.counters.spring");

    @Bean
    @Conditional(ExportEnabled.class)
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static CountersSending countersSending(Environment environment) {
        return CountersSending.start(CountersProperties.of(environment));
    }

    /** Needs the sending, so that it is created before all beans that may count. */
    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static CountBeanPostProcessor countersCountBeanPostProcessor(
            ObjectProvider<CountersSending> sending, Environment environment) {
        sending.ifAvailable(begun -> {});
        CountersProperties properties = CountersProperties.of(environment);
        String app =
                properties.app() == null ? environment.getProperty("spring.application.name", "app") : properties.app();
        NameTemplates names = new NameTemplates(NameTemplates.host(System.getenv()), app, properties.tags(), log::warn);
        return new CountBeanPostProcessor(
                new MethodPlans(names, log::warn), CountersSending::doesAgentCount, log::info);
    }
}
