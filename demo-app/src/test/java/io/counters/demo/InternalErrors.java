package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.CollectorProgram;
import java.io.IOException;

/** What a collector counts and logs if something in it fails that never should. Most of that it survives, at WARN. */
final class InternalErrors {
    private InternalErrors() {}

    static void assertNone(CollectorProgram collector) throws IOException {
        assertThat(collector.metric("intake_faulty_reads_total"))
                .as(collector::log)
                .isZero();
        assertThat(collector.metric("http_errors_total")).as(collector::log).isZero();
        // All lines must be there.
        assertThat(String.join("\n", collector.program().errorsAfter(0)))
                .doesNotContain(
                        " ERROR ",
                        "internal error",
                        "failed and continues",
                        "failed, and its connection is closed",
                        "OutOfMemoryError",
                        "OutOfDirectMemory");
    }
}
