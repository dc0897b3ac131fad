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
 * A file of which some bytes are changed. The input is a first byte, and then four bytes for each change: three for the place,
 * and one for what is added there. If the first byte is even, the place is one of those whose byte is not 0, which are the ones
 * that mean most; if it is odd, it is any, such as the highest byte of a length. A first byte above 250 also cuts the file off,
 * at the place that follows it.
 */
public final class FlippedFile {
    private static final int CUTS = 251;
    private static final int PLACE_BYTES = 3;
    private final byte[] sound;
    private final int[] places;

    public FlippedFile(byte[] sound) {
        this.sound = sound.clone();
        places = IntStream.range(0, sound.length).filter(at -> sound[at] != 0).toArray();
    }

    /** Seeds: nothing changed, cut off, and a change at many places of both kinds, of each bit. */
    public static Stream<byte[]> seeds() {
        return Stream.concat(
                Stream.of(new byte[] {0}, new byte[] {(byte) 254, 0, 9, 9}, new byte[] {(byte) 255, 0, 0, 1}),
                IntStream.range(0, 64).mapToObj(i -> {
                    byte[] seed = change(i * 104_729, 1 << ((i >> 1) & 7));
                    seed[0] = (byte) (i & 1);
                    return seed;
                }));
    }

    /** The input that adds to some bytes, whatever they are: each place is followed by what is added there. */
    public static byte[] change(int... placesAndAdded) {
        byte[] input = new byte[1 + placesAndAdded.length / 2 * (PLACE_BYTES + 1)];
        input[0] = 1;
        for (int i = 0, at = 1; i < placesAndAdded.length; i += 2, at += PLACE_BYTES + 1) {
            int place = placesAndAdded[i];
            input[at] = (byte) (place >> 16);
            input[at + 1] = (byte) (place >> 8);
            input[at + 2] = (byte) place;
            input[at + PLACE_BYTES] = (byte) placesAndAdded[i + 1];
        }
        return input;
    }

    /** The changed file. */
    public byte[] with(byte[] changes) {
        byte[] changed = sound.clone();
        int at = 1;
        if (changes.length > PLACE_BYTES && (changes[0] & 0xff) >= CUTS) {
            changed = Arrays.copyOf(changed, place(changes, at));
            at += PLACE_BYTES;
        }
        for (; at + PLACE_BYTES < changes.length; at += PLACE_BYTES + 1) {
            int place = place(changes, at);
            if (place < changed.length) {
                changed[place] = (byte) (changed[place] + changes[at + PLACE_BYTES]);
            }
        }
        return changed;
    }

    private int place(byte[] changes, int at) {
        int number = (changes[at] & 0xff) << 16 | (changes[at + 1] & 0xff) << 8 | (changes[at + 2] & 0xff);
        return (changes[0] & 1) == 0 ? places[number % places.length] : number % sound.length;
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
