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
import io.counters.collector.intake.PlainSums;
import io.counters.collector.ledger.MemoryLedger;
import io.counters.wire.StatsdName;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/** The body of a POST to /count, after a byte that says whether the target gzips it, or whether it claims to be gzipped. */
@Tag("once")
@Tag("slow")
class CountFuzzTest {
    private static final String KEY = "functions/shop/0000000001";
    private static final int BODY_BYTES_MAX = 1 << 19;

    static Stream<byte[]> seeds() {
        byte[] gzipped = gzip("increment a 5\nb:1|c\n".getBytes(ISO_8859_1));
        return Stream.concat(
                Stream.of(("z" + new String(gzipped, ISO_8859_1)).getBytes(ISO_8859_1)),
                Stream.of(
                                "gincrement a 5\nb:1|c\n",
                                "pincrement a 5\nincrement a 7\ndecrement b\nc:3|c\nc:-1|c|#k:v",
                                "pincrement a 9007199254740992\nincrement a 1\n",
                                "pfrom 8f2c6a1e0b7d4c93a5e1f07b 1 1\nincrement a 1 5\nd:0.25|c\n",
                                "pfrom 8f2c6a1e0b7d4c93a5e1f07b 1 1\nincrement a 1 5\nfrom x\nincrement a 1 9\na:0.5|c\n",
                                "p\n\n",
                                "pbad line\n")
                        .map(text -> text.getBytes(ISO_8859_1)));
    }

    private static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream gzipped = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(gzipped)) {
            out.write(plain);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
        return gzipped.toByteArray();
    }

    /** Empty if these bytes are not gzip, or too long. */
    private static Optional<byte[]> gunzip(byte[] gzipped) {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(gzipped))) {
            byte[] plain = in.readNBytes(BODY_BYTES_MAX + 1);
            return plain.length > BODY_BYTES_MAX ? Optional.empty() : Optional.of(plain);
        } catch (IOException damaged) {
            return Optional.empty();
        }
    }

    @MethodSource("seeds")
    @DictionaryEntries({"increment ", "decrement ", "9007199254740992", ":1|c", "|#k:v"})
    @FuzzTest(maxDuration = "10s")
    void a_request_with_a_key_counts_once_and_its_sums_are_those_of_its_lines(byte[] bytes) {
        if (bytes.length == 0 || bytes.length > BODY_BYTES_MAX) {
            return;
        }
        byte[] text = Arrays.copyOfRange(bytes, 1, bytes.length);
        byte[] body = bytes[0] == 'g' ? gzip(text) : text;
        Optional<byte[]> plain = bytes[0] == 'z' ? gunzip(text) : Optional.of(text);
        String encoding = bytes[0] == 'g' || bytes[0] == 'z' ? "gzip" : "identity";
        PlainPost keyedModel = new PlainPost();
        PlainSums model = new PlainSums();
        plain.ifPresent(lines -> PlainPost.read(lines, keyedModel));
        plain.ifPresent(lines -> PlainPost.read(lines, model));

        MemoryLedger once = new MemoryLedger();
        Route route = route(once);
        Request keyed = InventedRequests.post("/count", body, "Content-Encoding", encoding, "Idempotency-Key", KEY);
        answers(route, keyed, keyedModel.sums, plain.isPresent());
        countsWhatItShould(once, keyedModel.sums);
        SortedMap<String, Long> values = once.values();
        answers(route, keyed, keyedModel.sums, plain.isPresent());
        assertThat(once.values()).as("the same key").isEqualTo(values);

        MemoryLedger without = new MemoryLedger();
        Route other = route(without);
        Request unkeyed = InventedRequests.post("/count", body, "Content-Encoding", encoding);
        answers(other, unkeyed, model, plain.isPresent());
        countsWhatItShould(without, model);
        // Only the totals of a stream are known.
        plain.ifPresent(lines -> PlainPost.read(lines, model));
        answers(other, unkeyed, model, plain.isPresent());
        countsWhatItShould(without, model);
    }

    private static void answers(Route route, Request request, PlainSums model, boolean isReadable) {
        int status = InventedRequests.status(route, request);
        if (isReadable) {
            assertThat(status).isEqualTo(model.lines() > 0 ? 202 : 400);
        } else {
            assertThat(status).isIn(400, 413);
        }
    }

    private static void countsWhatItShould(MemoryLedger kept, PlainSums model) {
        SortedMap<String, Long> values = kept.values();
        SortedMap<String, Long> expected = model.values();
        assertThat(values.keySet()).isEqualTo(expected.keySet());
        values.forEach((name, value) -> {
            if (model.isExact(name)) {
                assertThat(value).as(name).isEqualTo(expected.get(name));
            }
        });
        assertThat(kept.reloaded()).isEqualTo(values);
    }

    private static Route route(MemoryLedger kept) {
        return new CountRoute(
                        (long) BODY_BYTES_MAX << 5,
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
