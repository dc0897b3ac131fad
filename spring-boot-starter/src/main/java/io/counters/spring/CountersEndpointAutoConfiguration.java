package io.counters.spring;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** The endpoint {@code counters}, if the application has the actuator and makes it available. */
@AutoConfiguration(after = CountersAutoConfiguration.class)
@ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
@ConditionalOnAvailableEndpoint(endpoint = CountersEndpoint.class)
class CountersEndpointAutoConfiguration {
    @Bean
    @ConditionalOnMissingBean
    CountersEndpoint countersEndpoint(ObjectProvider<CountersSending> sending) {
        CountersSending begun = sending.getIfAvailable();
        return new CountersEndpoint(begun == null ? "nowhere" : begun.destination());
    }
}
