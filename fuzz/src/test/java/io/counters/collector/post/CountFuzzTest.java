package io.counters.collector.post;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.http.InventedRequests;
import io.counters.collector.http.Request;
import io.counters.collector.http.Route;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.MemoryLedger;
import io.counters.wire.StatsdName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/** The body of a POST to /count, after a byte that says whether it is gzipped. */
@Tag("once")
@Tag("slow")
class CountFuzzTest {
    private static final String KEY = "functions/shop/0000000001";

    static Stream<byte[]> seeds() throws IOException {
        ByteArrayOutputStream gzipped = new ByteArrayOutputStream();
        gzipped.write('g');
        try (GZIPOutputStream out = new GZIPOutputStream(gzipped)) {
            out.write("increment a 5\nb:1|c\n".getBytes(ISO_8859_1));
        }
        return Stream.concat(
                Stream.of(gzipped.toByteArray()),
                Stream.of(
                                "pincrement a 5\nincrement a 7\ndecrement b\nc:3|c\nc:-1|c|#k:v",
                                "pincrement a 9007199254740992\nincrement a 1\n",
                                "pfrom 8f2c6a1e0b7d4c93a5e1f07b 1 1\nincrement a 1 5\nd:0.25|c\n",
                                "p\n\n",
                                "pbad line\n")
                        .map(text -> text.getBytes(ISO_8859_1)));
    }

    @MethodSource("seeds")
    @DictionaryEntries({"increment ", "decrement ", "9007199254740992", ":1|c", "|#k:v"})
    @FuzzTest(maxDuration = "10s")
    void a_request_with_a_key_counts_once_and_its_sums_are_those_of_its_lines(byte[] bytes) {
        if (bytes.length == 0) {
            return;
        }
        byte[] body = Arrays.copyOfRange(bytes, 1, bytes.length);
        String encoding = bytes[0] == 'g' ? "gzip" : "identity";
        Request keyed = InventedRequests.post("/count", body, "Content-Encoding", encoding, "Idempotency-Key", KEY);
        Request plain = InventedRequests.post("/count", body, "Content-Encoding", encoding);

        MemoryLedger once = new MemoryLedger();
        Route route = route(once);
        int status = InventedRequests.status(route, keyed);
        SortedMap<String, Long> values = once.values();
        assertThat(status).isIn(202, 400, 413, 415);
        assertThat(InventedRequests.status(route, keyed)).isEqualTo(status);
        assertThat(once.values()).isEqualTo(values);
        assertThat(once.reloaded()).isEqualTo(values);

        // With a key, lines that it cannot have are rejected, so what it counts is at most what counts without it.
        MemoryLedger without = new MemoryLedger();
        assertThat(InventedRequests.status(route(without), plain)).isIn(202, 400, 413, 415);
        assertThat(without.values().keySet()).containsAll(values.keySet());
    }

    private static Route route(MemoryLedger kept) {
        return new CountRoute(
                        1 << 22,
                        250,
                        () -> StatsdName.cleaning(List.of()),
                        LineTarget.of(kept.ledger),
                        lines -> {
                            boolean isTaken = kept.ledger.batch(lines);
                            return () -> isTaken ? Kept.ALL : Kept.NO_ROOM;
                        },
                        kept.faults,
                        kept.metrics)
                .route();
    }
}
