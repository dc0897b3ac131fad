package io.counters.spring;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.Counters;
import io.counters.micrometer.CountersMeterRegistry;
import io.counters.shop.ShopApplication;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.util.unit.DataSize;

@Tag("slow")
@ExtendWith(OutputCaptureExtension.class)
class CountersAutoConfigurationTest {
    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    CountersAutoConfiguration.class,
                    CountersMetricsAutoConfiguration.class,
                    CountersEndpointAutoConfiguration.class));

    /** Counts while it is destroyed. Spring creates beans of the application before those of auto-configurations. */
    static class Closing implements DisposableBean {
        @Override
        public void destroy() {
            Counters.increment("auto.closing");
        }
    }

    @Test
    void what_beans_count_while_they_are_destroyed_is_sent() throws Exception {
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            collector.setSoTimeout(10_000);
            application
                    .withBean(Closing.class)
                    .withPropertyValues(
                            "management.counters.export.collector=127.0.0.1:" + collector.getLocalPort(),
                            "management.counters.export.sweep=10ms",
                            "management.counters.export.datagram=512B")
                    .run(context -> {
                        Counters.add("auto.sent", 3);
                        List<String> lines = new ArrayList<>();
                        await().until(() -> received(collector, lines).contains("increment auto.sent 3 3"));
                    });

            List<String> lines = new ArrayList<>();
            await().until(() -> received(collector, lines).contains("increment auto.closing 1 1"));
        }
    }

    @Test
    void the_last_of_several_contexts_ends_the_sending() throws Exception {
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            collector.setSoTimeout(10_000);
            List<String> info = new ArrayList<>();
            List<String> warnings = new ArrayList<>();
            CountersSending first = CountersSending.start(to(collector, 10), info::add, warnings::add);
            CountersSending same = CountersSending.start(to(collector, 10), info::add, warnings::add);
            CountersSending other = CountersSending.start(to(collector, 20), info::add, warnings::add);

            first.close();
            first.close();
            same.close();
            Counters.add("auto.second", 4);
            other.close();

            assertThat(other.destination()).isEqualTo("127.0.0.1:" + collector.getLocalPort());
            assertThat(info).hasSize(1);
            assertThat(warnings)
                    .singleElement()
                    .asString()
                    .contains("already sends by")
                    .contains("sweep=PT0.01S");
            List<String> lines = new ArrayList<>();
            await().until(() -> received(collector, lines).contains("increment auto.second 4 4"));
        }
    }

    private static CountersProperties to(DatagramSocket collector, int sweepMillis) {
        return new CountersProperties(
                true,
                "127.0.0.1:" + collector.getLocalPort(),
                Duration.ofMillis(sweepMillis),
                DataSize.ofBytes(512),
                true,
                false,
                null,
                null,
                "");
    }

    @Test
    void a_key_signs_what_is_sent(@TempDir Path folder) throws Exception {
        Path keys = Files.writeString(folder.resolve("keys"), "shop-1 " + "0123456789abcdef".repeat(4));
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            collector.setSoTimeout(10_000);
            application
                    .withPropertyValues(
                            "management.counters.export.collector=127.0.0.1:" + collector.getLocalPort(),
                            "management.counters.export.sweep=10ms",
                            "management.counters.export.datagram=512B",
                            "management.counters.export.key=shop-1:" + keys)
                    .run(context -> {
                        Counters.add("auto.signed", 3);
                        List<String> lines = new ArrayList<>();
                        await().until(() -> received(collector, lines).contains("increment auto.signed 3 3"));
                        assertThat(lines.get(0)).startsWith("signed shop-1 ");
                    });
        }
        application
                .withPropertyValues("management.counters.export.key=shop-2:" + keys)
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("key names a key that " + keys + " does not have; it has: shop-1"));
    }

    private static List<String> received(DatagramSocket collector, List<String> lines) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
        collector.receive(packet);
        assertThat(packet.getLength()).isLessThanOrEqualTo(512);
        lines.addAll(List.of(new String(packet.getData(), 0, packet.getLength(), US_ASCII).split("\n")));
        return lines;
    }

    @Test
    void nothing_is_sent_where_exports_are_turned_off_as_in_tests_of_boot() {
        application
                .withPropertyValues("management.defaults.metrics.export.enabled=false")
                .run(context -> assertThat(context)
                        .doesNotHaveBean(CountersSending.class)
                        .doesNotHaveBean(MeterRegistry.class)
                        .hasSingleBean(CountBeanPostProcessor.class));
        application
                .withPropertyValues(
                        "management.defaults.metrics.export.enabled=false",
                        "management.counters.export.enabled=true",
                        "management.counters.export.collector=127.0.0.1:9")
                .run(context ->
                        assertThat(context).hasSingleBean(CountersSending.class).hasSingleBean(MeterRegistry.class));
    }

    @Test
    void a_bad_property_stops_the_start_with_its_rule() {
        application
                .withPropertyValues("management.counters.export.collector=here:99999")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("collector is \"here:99999\""));
        application
                .withPropertyValues("management.counters.export.sweep=1ms")
                .run(context -> assertThat(context)
                        .getFailure()
                        .hasStackTraceContaining(
                                "management.counters.export: sweep is 1 ms, allowed are 10 to 60000 ms"));
    }

    static class OtherRegistry {
        @Bean
        MeterRegistry other() {
            return new SimpleMeterRegistry();
        }
    }

    @Test
    void the_registry_is_the_only_one_or_is_joined_with_others() {
        try (ConfigurableApplicationContext context = shop(ShopApplication.class)) {
            assertThat(context.getBeansOfType(MeterRegistry.class)).hasSize(1);
            assertThat(context.getBean(MeterRegistry.class)).isInstanceOf(CountersMeterRegistry.class);
        }
        try (ConfigurableApplicationContext context = shop(ShopApplication.class, OtherRegistry.class)) {
            assertThat(context.getBean(MeterRegistry.class))
                    .isInstanceOfSatisfying(
                            CompositeMeterRegistry.class,
                            joined -> assertThat(joined.getRegistries())
                                    .hasSize(2)
                                    .hasAtLeastOneElementOfType(CountersMeterRegistry.class));
        }
    }

    private static ConfigurableApplicationContext shop(Class<?>... configurations) {
        return new SpringApplicationBuilder(configurations)
                .web(WebApplicationType.NONE)
                .run("--management.counters.export.collector=127.0.0.1:9");
    }

    @Test
    void what_the_registry_cannot_count_is_a_warning_in_the_log(CapturedOutput output) {
        try (ConfigurableApplicationContext context = shop(ShopApplication.class)) {
            MeterRegistry registry = context.getBean(MeterRegistry.class);
            registry.gauge("auto.gauge", 1);
            registry.counter("auto.negative").increment(-1);

            assertThat(output.toString().lines())
                    .anyMatch(line -> line.contains(" INFO ") && line.contains("gauges, long task timers"))
                    .anyMatch(
                            line -> line.contains(" WARN ") && line.contains("the meter auto.negative: it was given"));
        }
    }

    @Test
    void the_properties_have_metadata() throws IOException {
        try (InputStream metadata =
                CountersProperties.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            assertThat(metadata).isNotNull();
            assertThat(new String(metadata.readAllBytes(), US_ASCII))
                    .contains("\"management.counters.export.collector\"")
                    .contains("\"defaultValue\": \"localhost:11212\"")
                    .contains("how often to send, 10 ms to 60 s");
        }
    }
}
