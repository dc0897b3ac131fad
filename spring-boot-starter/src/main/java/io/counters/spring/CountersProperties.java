package io.counters.spring;

import io.counters.emit.EmitterSettings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.core.env.Environment;
import org.springframework.util.unit.DataSize;

/**
 * The properties, which have the names and the meanings of the agent's settings.
 *
 * @param enabled whether counts are sent; by default as {@code management.defaults.metrics.export.enabled} says
 * @param collector where to send: HOST:PORT; several collectors, with weights, are written h1*3;h2, and each name is sent
 *     to the one that owns it
 * @param sweep how often to send, 10 ms to 60 s
 * @param datagram the maximum size of a datagram, 512 to 65507 bytes; by default 65507 to a collector on loopback, and
 *     otherwise 1432
 * @param totals whether to send totals, without which lost datagrams are lost counts; turn off only if a load balancer
 *     spreads the datagrams over several collectors
 * @param follow whether the same ledger is always behind the collector's name and moves with it to another address
 * @param key signs what is sent, ID:FILE: the ID of the key, and a file that has it on a line KEY-ID HEX-KEY; by default
 *     nothing is signed
 * @param app what {app} stands for in the names of {@code @Count}; by default {@code spring.application.name}
 * @param tags tags of the counters of {@code @Count} that have no name of their own, such as env=prod,host={host}
 */
@ConfigurationProperties(CountersProperties.PREFIX)
record CountersProperties(
        @Nullable Boolean enabled,
        @DefaultValue("localhost:11212") String collector,
        @DefaultValue("1s") Duration sweep,
        @Nullable DataSize datagram,
        @DefaultValue("true") boolean totals,
        @DefaultValue("false") boolean follow,
        @Nullable String key,
        @Nullable String app,
        @DefaultValue("") String tags) {
    static final String PREFIX = "management.counters.export";

    /** What decides how a JVM sends. */
    record Sent(
            String collector,
            Duration sweep,
            @Nullable DataSize datagram,
            boolean totals,
            boolean follow,
            @Nullable String key) {}

    Sent sent() {
        return new Sent(collector, sweep, datagram, totals, follow, key);
    }

    /** The properties in this environment, for what is created before beans of properties are. */
    static CountersProperties of(Environment environment) {
        return Binder.get(environment).bindOrCreate(PREFIX, CountersProperties.class);
    }

    /** Whether counts are sent; tests of Boot applications turn the default off. */
    static boolean isEnabled(Environment environment) {
        return environment.getProperty(
                PREFIX + ".enabled",
                Boolean.class,
                environment.getProperty("management.defaults.metrics.export.enabled", Boolean.class, true));
    }

    /** @throws IllegalArgumentException if a value is out of its range; the message contains the rule */
    EmitterSettings settings() {
        try {
            EmitterSettings settings = EmitterSettings.to(collector)
                    .sweepMillis(sweep.toMillis())
                    .totals(totals)
                    .follow(follow);
            settings = key == null || key.isEmpty() ? settings : settings.key(key);
            return datagram == null
                    ? settings
                    : settings.datagramBytes((int) Math.min(datagram.toBytes(), Integer.MAX_VALUE));
        } catch (IllegalArgumentException broken) {
            throw new IllegalArgumentException(PREFIX + ": " + broken.getMessage(), broken);
        }
    }
}
