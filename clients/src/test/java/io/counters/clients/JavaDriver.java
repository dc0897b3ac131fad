package io.counters.clients;

import static org.awaitility.Awaitility.await;

import com.timgroup.statsd.NonBlockingStatsDClientBuilder;
import com.timgroup.statsd.StatsDClient;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.statsd.StatsdConfig;
import io.micrometer.statsd.StatsdFlavor;
import io.micrometer.statsd.StatsdMeterRegistry;
import io.micrometer.statsd.StatsdProtocol;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Drives the Java clients, in this JVM. */
final class JavaDriver {
    private static final int DATAGRAM_BYTES = 1400;

    private final Row row;
    private final Tap tap;

    private JavaDriver(Row row, Tap tap) {
        this.row = row;
        this.tap = tap;
    }

    /** Makes the row's calls, and returns after the client has sent all of them. */
    static void drive(Row row, Tap tap) throws Exception {
        JavaDriver driver = new JavaDriver(row, tap);
        String name = row.client().name();
        if (name.startsWith("micrometer ")) {
            driver.micrometer(StatsdFlavor.valueOf(name.substring("micrometer ".length())));
        } else if (name.startsWith("java-dogstatsd-client")) {
            driver.dogStatsD(name.endsWith(" aggregated"));
        } else {
            driver.timgroup();
        }
    }

    private String tapHost() {
        return tap.address().substring(0, tap.address().indexOf(':'));
    }

    private int tapPort() {
        return Integer.parseInt(tap.address().substring(tap.address().indexOf(':') + 1));
    }

    private interface Call {
        void run() throws ReflectiveOperationException;
    }

    private void repeat(int times, Call call) throws ReflectiveOperationException {
        for (int i = 1; i <= times; i++) {
            call.run();
            if (i % (row.transport() == Row.Transport.UNIX ? 5 : 20) == 0) {
                LockSupport.parkNanos(1_000_000); // so that no socket buffer overflows
            }
        }
    }

    private void dogStatsD(boolean aggregated) throws ReflectiveOperationException {
        NonBlockingStatsDClientBuilder builder = new NonBlockingStatsDClientBuilder()
                .blocking(true)
                .enableTelemetry(false)
                .enableAggregation(aggregated)
                .originDetectionEnabled(true)
                .maxPacketSizeBytes(DATAGRAM_BYTES);
        if (row.transport() == Row.Transport.UNIX) {
            builder.address("unix://" + tap.address());
        } else {
            builder.hostname(tapHost()).port(tapPort());
        }
        if (row.what() == Row.What.TAGS) {
            builder.constantTags("env:prod").entityID("0b5c7a4e-51a2");
        }
        String counter = row.counter();
        try (StatsDClient client = builder.build()) {
            switch (row.what()) {
                case PLAIN -> {
                    repeat(1000, () -> client.increment(counter));
                    repeat(100, () -> client.count(counter, 5));
                }
                case MINUS -> {
                    repeat(500, () -> client.count(counter, 3));
                    repeat(500, () -> client.decrement(counter));
                }
                case FRACTIONS -> repeat(400, () -> client.count(counter, 0.25));
                case SAMPLED -> repeat(2000, () -> client.increment(counter, 0.75));
                case TAGS ->
                    repeat(
                            200,
                            () -> client.increment(
                                    counter,
                                    "url:http://shop:8080/cart",
                                    "city:Zürich",
                                    "path:/users/{id}",
                                    "note:a+b c",
                                    "empty:",
                                    "canary"));
                case OTHERS ->
                    repeat(10, () -> {
                        client.gauge(counter, 12.5);
                        client.time(counter, 3);
                        client.distribution(counter, 4);
                        client.recordSetValue(counter, "visitor");
                    });
            }
        }
    }

    private void micrometer(StatsdFlavor flavor) throws ReflectiveOperationException {
        StatsdConfig config = new StatsdConfig() {
            @Override
            public @Nullable String get(String key) {
                return switch (key) {
                    case "statsd.flavor" -> flavor.name();
                    case "statsd.protocol" ->
                        (switch (row.transport()) {
                                    case UDP -> StatsdProtocol.UDP;
                                    case TCP -> StatsdProtocol.TCP;
                                    case UNIX -> StatsdProtocol.UDS_DATAGRAM;
                                })
                                .name();
                    case "statsd.host" -> row.transport() == Row.Transport.UNIX ? tap.address() : tapHost();
                    case "statsd.port" -> row.transport() == Row.Transport.UNIX ? "0" : Integer.toString(tapPort());
                    case "statsd.pollingFrequency" -> "50ms"; // micrometer also flushes its buffer at this interval
                    case "statsd.buffered" -> Boolean.toString(row.buffered());
                    default -> null;
                };
            }
        };
        StatsdMeterRegistry registry = new StatsdMeterRegistry(config, Clock.SYSTEM);
        try {
            // micrometer connects in the background, and discards what is counted before.
            await("micrometer's connection").atMost(Duration.ofSeconds(10)).until(() -> {
                registry.counter("connected").increment();
                return tap.isUsed();
            });
            countWith(registry);
            // On close it discards its buffer.
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
            while (tap.sent().intValue() < row.what().called && System.nanoTime() < deadline) {
                LockSupport.parkNanos(20_000_000);
            }
            LockSupport.parkNanos(100_000_000);
        } finally {
            registry.close();
        }
    }

    private void countWith(MeterRegistry registry) throws ReflectiveOperationException {
        Tags tags = row.what() == Row.What.TAGS
                ? Tags.of(
                        "env",
                        "prod",
                        "url",
                        "http://shop:8080/cart",
                        "city",
                        "Zürich",
                        "path",
                        "/users/{id}",
                        "note",
                        "a+b c")
                : Tags.empty();
        Counter counter = registry.counter(row.counter(), tags);
        switch (row.what()) {
            case PLAIN -> {
                repeat(1000, counter::increment);
                repeat(100, () -> counter.increment(5));
            }
            case TAGS -> repeat(200, counter::increment);
            case OTHERS ->
                repeat(10, () -> {
                    registry.timer(row.counter() + ".time").record(3, TimeUnit.MILLISECONDS);
                    registry.summary(row.counter() + ".size").record(4);
                });
            default -> throw new IllegalArgumentException("micrometer does not support " + row.what());
        }
    }

    /** Its main class has the same name as DogStatsD's, which was derived from it, so it needs a separate class loader. */
    private void timgroup() throws ReflectiveOperationException, MalformedURLException {
        URL jar = Path.of(System.getProperty("counters.timgroup")).toUri().toURL();
        URLClassLoader loader = new URLClassLoader(new URL[] {jar}, ClassLoader.getPlatformClassLoader());
        Class<?> type = loader.loadClass("com.timgroup.statsd.NonBlockingStatsDClient");
        String name = row.counter().substring(row.beginning().length() + 1);
        Object client = type.getConstructor(String.class, String.class, int.class)
                .newInstance(row.beginning(), tapHost(), tapPort());
        switch (row.what()) {
            case PLAIN -> {
                repeat(1000, () -> call(client, "increment", name));
                repeat(100, () -> call(client, "count", name, 5L));
            }
            case MINUS -> {
                repeat(500, () -> call(client, "count", name, 3L));
                repeat(500, () -> call(client, "decrement", name));
            }
            case SAMPLED -> repeat(2000, () -> call(client, "count", name, 1L, 0.75));
            case OTHERS ->
                repeat(10, () -> {
                    call(client, "gauge", name, 12.5);
                    call(client, "time", name, 3L);
                    call(client, "set", name, "visitor");
                });
            default -> throw new IllegalArgumentException("timgroup's client does not support " + row.what());
        }
        call(client, "stop");
    }

    private static void call(Object client, String method, Object... arguments) throws ReflectiveOperationException {
        Class<?>[] types = new Class<?>[arguments.length];
        for (int i = 0; i < types.length; i++) {
            types[i] = arguments[i] instanceof Long
                    ? long.class
                    : arguments[i] instanceof Double ? double.class : String.class;
        }
        try {
            client.getClass().getMethod(method, types).invoke(client, arguments);
        } catch (InvocationTargetException thrown) {
            throw new IllegalStateException(method, thrown.getCause());
        }
    }
}
