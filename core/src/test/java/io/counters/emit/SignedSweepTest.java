package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.wire.DatagramMac;
import io.counters.wire.SignedLine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A sweep with a key. */
class SignedSweepTest {
    private static final long WALL = 1_764_547_200_000L;

    private final CountedCells cells = new CountedCells();
    private final RecordingTransport transport = new RecordingTransport();
    private EmitterSettings settings = EmitterSettings.to("nowhere");
    private long wallMillis = WALL;

    @BeforeEach
    void writeKey(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("keys"), "shop-1 " + "0123456789abcdef".repeat(4));
        settings = settings.key("shop-1:" + file);
    }

    private Sweep sweep() {
        return new Sweep(cells.table(), settings, () -> 0, () -> wallMillis, () -> "stream-0123456789abcdef");
    }

    private boolean isCorrect(byte[] datagram) {
        SignedLine line = new SignedLine();
        return SignedLine.isAt(datagram, 0, datagram.length)
                && line.read(datagram, 0, datagram.length)
                && line.timeMillis() == wallMillis
                && new DatagramMac().matches(Objects.requireNonNull(settings.key()), line, datagram, datagram.length);
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1432, 65_507})
    void every_datagram_is_signed_with_the_time_of_its_sweep_and_is_not_too_long(int bytesMax) {
        transport.datagramBytes(bytesMax);
        for (int i = 0; i < 500; i++) {
            cells.add("counter.with.a.name." + i, i + 1);
        }
        Sweep sweep = sweep();

        sweep.run(transport);
        wallMillis += 1000;
        List<byte[]> first = new ArrayList<>(transport.datagrams);
        transport.datagrams.clear();
        sweep.last(transport);

        wallMillis -= 1000;
        assertThat(first).isNotEmpty().allMatch(this::isCorrect).allMatch(datagram -> datagram.length <= bytesMax);
        wallMillis += 1000;
        assertThat(transport.datagrams).hasSameSizeAs(first).allMatch(this::isCorrect);
        assertThat(transport.commands().stream().filter(line -> !line.startsWith("signed ")))
                .hasSize(500)
                .allMatch(line -> line.split(" ").length == 4);
    }

    @Test
    void a_datagram_that_was_too_long_for_the_path_is_signed_again() {
        transport.datagramBytes(65_507);
        transport.takesBytes = 1432;
        for (int i = 0; i < 500; i++) {
            cells.add("counter.with.a.name." + i, 1);
        }

        sweep().run(transport);

        assertThat(transport.datagrams).hasSizeGreaterThan(10).allMatch(this::isCorrect);
    }

    @Test
    void what_becomes_part_of_a_tcp_stream_is_not_signed() {
        cells.add("a", 1);

        sweep().run(new Transport() {
            @Override
            public boolean send(byte[] bytes, int length) {
                return transport.send(bytes, length);
            }

            @Override
            public boolean isSignable() {
                return false;
            }
        });

        assertThat(new String(transport.datagrams.get(0), ISO_8859_1))
                .isEqualTo("from stream-0123456789abcdef 0 1\nincrement a 1 1\n");
    }
}
