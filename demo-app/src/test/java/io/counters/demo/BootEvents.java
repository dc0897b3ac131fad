package io.counters.demo;

import io.counters.Count;
import io.counters.Counter;
import io.counters.Counters;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import java.io.IOException;
import java.time.Duration;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;

/**
 * Runs as a separate process, an application of Spring Boot with the starter: counts each event by the API, by Micrometer, by an
 * annotated method of a bean, and by OpenTelemetry's SDK, which knows nothing of counters.
 */
@EnableAutoConfiguration
class BootEvents {
    static final String API = "ways.api";
    static final String MICROMETER = "ways.micrometer";
    static final String SPRING = "ways.spring";
    static final String OTLP = "ways.otlp";

    /** A bean whose calls are counted. */
    static class Events {
        @Count(SPRING)
        void happen() {}
    }

    @Bean
    Events events() {
        return new Events();
    }

    /**
     * Counts.
     *
     * @param arguments the collector's port for OTLP, with its path, and properties of Boot
     */
    public static void main(String... arguments) throws IOException {
        try (OtlpHttpMetricExporter exporter = OtlpHttpMetricExporter.builder()
                        .setEndpoint(arguments[0])
                        .setTimeout(Duration.ofSeconds(1))
                        .build();
                SdkMeterProvider sdk = SdkMeterProvider.builder()
                        .registerMetricReader(PeriodicMetricReader.builder(exporter)
                                .setInterval(Duration.ofMillis(100))
                                .build())
                        .build();
                ConfigurableApplicationContext context = SpringApplication.run(BootEvents.class, arguments)) {
            Counter api = Counters.counter(API);
            Events spring = context.getBean(Events.class);
            io.micrometer.core.instrument.Counter micrometer =
                    context.getBean(MeterRegistry.class).counter(MICROMETER);
            LongCounter otlp = sdk.get("events").counterBuilder(OTLP).build();
            System.out.println("counts");
            CountedEvents.countAsTold(() -> {
                api.increment();
                micrometer.increment();
                spring.happen();
                otlp.add(1);
            });
        }
    }
}
