package io.counters.collector.ledger;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A file of which some bytes are changed: three bytes of the input each, the first two for the place among the bytes that are
 * not 0, the third for what is added. A first byte above 250 also cuts the file off there.
 */
public final class FlippedFile {
    private static final int CUTS = 251;
    private final byte[] sound;
    private final int[] places;

    public FlippedFile(byte[] sound) {
        this.sound = sound.clone();
        places = IntStream.range(0, sound.length).filter(at -> sound[at] != 0).toArray();
    }

    /** Seeds: nothing changed, and a change at many places. */
    public static Stream<byte[]> seeds() {
        return Stream.concat(
                Stream.of(new byte[] {0}, new byte[] {(byte) 255, 9, 9}),
                IntStream.range(0, 30).mapToObj(i ->
                        new byte[] {0, (byte) (i >> 3), (byte) (i * 37), (byte) (1 << (i & 7))}));
    }

    /** The changed file. */
    public byte[] with(byte[] changes) {
        byte[] changed = sound.clone();
        int at = 1;
        if (changes.length > 2 && (changes[0] & 0xff) >= CUTS) {
            int length = places[((changes[1] & 0xff) << 8 | (changes[2] & 0xff)) % places.length];
            changed = Arrays.copyOf(changed, length);
            at = 3;
        }
        for (; at + 2 < changes.length; at += 3) {
            int place = places[((changes[at] & 0xff) << 8 | (changes[at + 1] & 0xff)) % places.length];
            if (place < changed.length) {
                changed[place] += changes[at + 2];
            }
        }
        return changed;
    }

    /** Whether the change is none. */
    public boolean isSound(byte[] changed) {
        return ByteBuffer.wrap(sound).equals(ByteBuffer.wrap(changed));
    }

    /** A folder in memory, if the machine has one: each input is written and synced. */
    public static Path folder(Path otherwise) throws IOException {
        Path memory = Path.of("/dev/shm");
        return Files.isWritable(memory) ? Files.createTempDirectory(memory, "counters-fuzz") : otherwise;
    }

    /** Deletes what is in a folder. */
    public static void clear(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.filter(file -> !file.equals(folder))
                    .sorted(Comparator.reverseOrder())
                    .toList();
        }
        for (Path file : all) {
            Files.delete(file);
        }
    }
}
