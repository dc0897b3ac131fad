package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.ledger.FlippedFile;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

/** A file of a spool of which bytes are changed, see {@link FlippedFile}, after a byte that says for which kind of sink. */
@Tag("once")
@Tag("slow")
class SpoolFuzzTest {
    private static final Series SERIES = new Series("", List.of(new Series.Tag("src", "counters")));
    private static final long SECOND = 1_700_000_000;
    private static final int POINTS = 100;

    @TempDir
    static Path temporary = Path.of("");

    private static Path folder = temporary;
    private static final List<FlippedFile> FILES = new ArrayList<>();
    private static final List<List<ByteBuffer>> BODIES = new ArrayList<>();
    private static final List<Path> PATHS = new ArrayList<>();
    private static final List<PointFormat> FORMATS =
            List.of(new PutBodies(SERIES), new OtlpFormat(SERIES), new RemoteWriteFormat(SERIES));

    @BeforeAll
    static void write() throws IOException {
        folder = FlippedFile.folder(temporary);
        String[] names = new String[POINTS];
        long[] values = new long[POINTS];
        for (int i = 0; i < POINTS; i++) {
            names[i] = "counter." + i + (i % 3 == 0 ? ",k=v" : "");
            values[i] = i * 1_000_003L;
        }
        for (PointFormat format : FORMATS) {
            TickFile written = new Spool(folder, 1 << 20)
                    .write(SECOND, new Snapshot(names, values, POINTS), new TickPacker(format, 1024));
            PATHS.add(written.path());
            FILES.add(new FlippedFile(Files.readAllBytes(written.path())));
            BODIES.add(bodies(written));
            Files.delete(written.path());
        }
    }

    @AfterAll
    static void clear() throws IOException {
        FlippedFile.clear(folder);
        if (!folder.equals(temporary)) {
            Files.delete(folder);
        }
    }

    private static List<ByteBuffer> bodies(TickBodies tick) throws IOException {
        List<ByteBuffer> bodies = new ArrayList<>();
        for (TickBodies.Place place : tick.places()) {
            bodies.add(ByteBuffer.wrap(tick.read(place)));
        }
        return bodies;
    }

    static Stream<byte[]> seeds() {
        return FlippedFile.seeds()
                .flatMap(seed -> Stream.of(0, 1, 2).map(kind -> {
                    byte[] of = new byte[seed.length + 1];
                    of[0] = (byte) (int) kind;
                    System.arraycopy(seed, 0, of, 1, seed.length);
                    return of;
                }));
    }

    @MethodSource("seeds")
    @FuzzTest(maxDuration = "10s")
    void a_damaged_tick_is_found_before_it_is_sent_and_a_sound_one_is_sent_unchanged(byte[] bytes) throws IOException {
        int kind = bytes.length == 0 ? 0 : (bytes[0] & 0xff) % FORMATS.size();
        byte[] changes = new byte[Math.max(0, bytes.length - 1)];
        System.arraycopy(bytes, Math.min(1, bytes.length), changes, 0, changes.length);
        byte[] changed = FILES.get(kind).with(changes.length == 0 ? new byte[1] : changes);
        FlippedFile.clear(folder);
        Files.write(PATHS.get(kind), changed);

        List<TickFile> ticks = new Spool(folder, 1 << 20).ticks();

        assertThat(ticks).hasSize(1);
        boolean isSound = FILES.get(kind).isSound(changed);
        try {
            assertThat(bodies(ticks.get(0))).isEqualTo(BODIES.get(kind));
            assertThat(isSound).isTrue();
        } catch (TickFile.DamagedFile damaged) {
            assertThat(isSound).isFalse();
        }
    }
}
