package io.counters.packaging;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * Compresses files as {@code gzip -9n} does, on every system: Debian wants its changelogs and manual pages so, and the JDK and
 * Ant compress less and cannot say how much.
 */
final class Gzip extends GZIPOutputStream {
    /** Where the header says how the file was compressed, by RFC 1952. */
    private static final int EXTRA_FLAGS = 8;

    private static final byte SLOWEST = 2;

    private Gzip(OutputStream out) throws IOException {
        super(out);
        def.setLevel(Deflater.BEST_COMPRESSION);
    }

    static byte[] compress(byte[] plain) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (Gzip gzip = new Gzip(out)) {
            gzip.write(plain);
        }
        // The time in the header, which gzip -n leaves out, is always 0.
        byte[] compressed = out.toByteArray();
        compressed[EXTRA_FLAGS] = SLOWEST;
        return compressed;
    }

    /** Replaces each file by a compressed one with the ending .gz. */
    public static void main(String[] files) throws IOException {
        for (String file : files) {
            Files.write(Path.of(file + ".gz"), compress(Files.readAllBytes(Path.of(file))));
            Files.delete(Path.of(file));
        }
    }
}
