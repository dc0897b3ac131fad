package io.counters.collector.otlp;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;

/** A program that counts by OpenTelemetry's API, and ends. Its agent sends the counts. */
final class CountingProgram {
    private CountingProgram() {}

    public static void main(String[] arguments) {
        LongCounter orders = GlobalOpenTelemetry.getMeter("shop")
                .counterBuilder("orders.placed")
                .build();
        for (int i = 0; i < 1_000; i++) {
            orders.add(1, Attributes.of(AttributeKey.stringKey("method"), "card"));
        }
    }
}
