/**
 * Counts what programs send by OTLP, OpenTelemetry's protocol: {@code POST /v1/metrics} on a port of its own, with a body in
 * protobuf or JSON. The format is that of {@code opentelemetry/proto/collector/metrics/v1/metrics_service.proto}, the rules are
 * those of OpenTelemetry's specification: "OTLP/HTTP", and "Metrics Data Model" for temporality, resets and start times.
 *
 * <p>Every data point of a sum becomes lines for a {@link io.counters.collector.intake.LineTarget}, so that the ledger, embedded or
 * of a fleet, knows nothing of OTLP; {@link io.counters.collector.otlp.Sums} says how. A request is answered when its lines are
 * kept. Data points that cannot be counted are rejected alone, and counted by reason.
 *
 * <p>The port is open to strangers: a body, what it is decompressed to, and what is remembered of series have bounds that know the
 * heap. One request at a time is converted; others wait.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.otlp;

import org.jspecify.annotations.NullMarked;
