package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.common.FaultLog;
import io.counters.collector.ledger.FlippedFile;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.helpers.NOPLogger;

/**
 * A file of a spool of which bytes are changed, see {@link FlippedFile}, after a byte that says for which kind of sink, and one
 * for its name: the one that it was written with, whose sum shows each change, the one with the sum of the changed bytes, or the
 * one without a sum, which earlier versions gave. The last two lead to what reads the content.
 */
@Tag("once")
@Tag("slow")
class SpoolFuzzTest {
    private static final Series SERIES = new Series("", List.of(new Series.Tag("src", "counters")));
    private static final FaultLog FAULTS = new FaultLog(NOPLogger.NOP_LOGGER, () -> 0);
    private static final long SECOND = 1_700_000_000;
    private static final int POINTS = 100;

    @TempDir
    static Path temporary = Path.of("");

    private static Path folder = temporary;
    private static final List<FlippedFile> FILES = new ArrayList<>();
    private static final List<List<ByteBuffer>> BODIES = new ArrayList<>();
    private static final List<List<TickBodies.Place>> PLACES = new ArrayList<>();
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
                    .write(SECOND, new Snapshot(names, values, POINTS), new TickPacker(format, 512));
            PATHS.add(written.path());
            FILES.add(new FlippedFile(Files.readAllBytes(written.path())));
            BODIES.add(bodies(written));
            PLACES.add(written.places());
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
        // The first header, of lengths, and where a body begins.
        Stream<byte[]> beginning = IntStream.range(0, 12)
                .boxed()
                .flatMap(at -> Stream.of(1, 0x7f, 0x80).map(added -> FlippedFile.change(at, added)));
        return Stream.concat(
                Stream.concat(FlippedFile.seeds(), beginning)
                        .flatMap(seed -> IntStream.range(0, 3).boxed().flatMap(kind -> names(kind, seed))),
                IntStream.range(0, FORMATS.size())
                        .boxed()
                        .flatMap(kind -> Stream.of(negative(kind), overflowing(kind), large(kind))
                                .flatMap(seed -> names(kind, seed))));
    }

    private static Stream<byte[]> names(int kind, byte[] changes) {
        return IntStream.range(0, 3).mapToObj(name -> {
            byte[] seed = new byte[changes.length + 2];
            seed[0] = (byte) kind;
            seed[1] = (byte) name;
            System.arraycopy(changes, 0, seed, 2, changes.length);
            return seed;
        });
    }

    /** Where the number of points of a body is. */
    private static int pointsAt(int kind, int body) {
        return (int) PLACES.get(kind).get(body).at() - Integer.BYTES;
    }

    /** A body with 256 points too few, so that its number is negative, and one with 256 too many. */
    private static byte[] negative(int kind) {
        int less = pointsAt(kind, 0);
        return FlippedFile.change(less, 0xff, less + 1, 0xff, less + 2, 0xff, pointsAt(kind, 1) + 2, 1);
    }

    /** Three bodies that together have 2^32 points too many. */
    private static byte[] overflowing(int kind) {
        return FlippedFile.change(pointsAt(kind, 0), 0x7f, pointsAt(kind, 1), 0x7f, pointsAt(kind, 2), 2);
    }

    /** In snappy, a body that says that it has 256 MB. */
    private static byte[] large(int kind) {
        ByteBuffer body = BODIES.get(kind).get(0);
        int at = (int) PLACES.get(kind).get(0).at();
        return FlippedFile.change(at + 1, 0x80, at + 2, 0xff - body.get(2), at + 3, 0x7f - body.get(3));
    }

    @MethodSource("seeds")
    @FuzzTest(maxDuration = "10s")
    void a_tick_is_sent_unchanged_or_its_damage_is_found(byte[] bytes) throws Exception {
        if (bytes.length < 2) {
            return;
        }
        int kind = (bytes[0] & 0xff) % FORMATS.size();
        byte[] changed = FILES.get(kind).with(Arrays.copyOfRange(bytes, 2, bytes.length));
        boolean isSound = FILES.get(kind).isSound(changed);
        Path path = switch ((bytes[1] & 0xff) % 3) {
            case 0 -> PATHS.get(kind);
            case 1 -> {
                CRC32C sum = new CRC32C();
                sum.update(changed);
                yield folder.resolve(TickFile.name(SECOND, POINTS, sum));
            }
            default -> folder.resolve(SECOND + "-" + POINTS + ".tick");
        };
        FlippedFile.clear(folder);
        Files.write(path, changed);

        List<ByteBuffer> sent = send(FORMATS.get(kind), changed.length);

        if (isSound) {
            assertThat(sent).isEqualTo(BODIES.get(kind));
        } else if (path.equals(PATHS.get(kind))) {
            assertThat(sent)
                    .as("what is sent of a file whose name shows the damage")
                    .isEmpty();
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    /** What a sink would send, each body confirmed; nothing if the tick is dropped because of its damage. */
    private static List<ByteBuffer> send(PointFormat format, int fileBytes) throws IOException {
        Spool spool = new Spool(folder, 1 << 20);
        assertThat(spool.ticks()).hasSize(1);
        DeliverySchedule delivery = DeliverySchedule.inOrder(spool, 1, new Random(1), 0);
        List<ByteBuffer> bodies = new ArrayList<>();
        long points = 0;
        long sizes = 0;
        try {
            for (Piece piece = delivery.next(0); piece != null; piece = delivery.next(0)) {
                byte[] body = piece.body();
                bodies.add(ByteBuffer.wrap(body));
                points += piece.points;
                sizes += TickFile.HEADER_BYTES + body.length;
                divide(format, piece);
                delivery.apply(piece, Outcome.confirmed(piece), 0);
            }
            assertThat(points).isEqualTo(POINTS);
            assertThat(sizes).isEqualTo(fileBytes);
        } catch (DamagedTick lost) {
            assertThat(lost.points).isEqualTo(POINTS);
            assertThat(bodies).isEmpty();
        }
        assertThat(delivery.isDone()).isTrue();
        spool.sweep();
        assertThat(spool.points()).isZero();
        return bodies;
    }

    /** What happens to a body that a server refuses as too large. */
    private static void divide(PointFormat format, Piece piece) throws IOException {
        ResponsePolicy policy = new ResponsePolicy("a sink", format, () -> 0, 1 << 20, () -> 1, FAULTS);
        try {
            assertThat(format.first(piece.body())).isNotEmpty();
            List<Outcome.Rest> rest = policy.judge(piece, new Answer.TooLarge()).rest();
            assertThat(rest).hasSize(piece.points == 1 ? 1 : 2).allMatch(part -> part.points() > 0);
            assertThat(rest.stream().mapToInt(Outcome.Rest::points).sum()).isEqualTo(piece.points);
            for (Outcome.Rest part : rest) {
                if (part.body() != null) {
                    assertThat(format.first(part.body())).isNotEmpty();
                }
            }
        } catch (TickFile.DamagedFile damaged) {
            assertThat(damaged).hasMessageContaining("damaged");
        }
    }
}
