package io.counters.collector.publish;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * A tick on disk: its points as bodies, each exactly as it is sent, so that it is the same when it is sent again. The file
 * is named {@code SECOND-POINTS.tick.SUM}, where SUM is the CRC-32C of all its bytes in hexadecimal digits, because not every
 * body shows by itself that the disk has changed it; without SUM an earlier version wrote it. It contains, for each body:
 *
 * <pre>
 *   +---------------+---------------+---------------- ... -+
 *   | length        | points        | the body, gzipped    |
 *   | int           | int           | length bytes         |
 *   +---------------+---------------+---------------- ... -+
 * </pre>
 *
 * @param second Unix time
 * @param points the number of points in all its bodies
 * @param bytes its size on disk, in whole blocks
 */
record TickFile(Path path, long second, int points, long bytes) implements TickBodies {
    static final Pattern NAME = Pattern.compile("(\\d{1,18})-(\\d{1,9})\\.tick(?:\\.([0-9a-f]{8}))?");
    static final int HEADER_BYTES = 8;
    private static final int READ_BYTES = 64 * 1024;
    private static final int BLOCK_BYTES = 4096;

    /** The file is not what was written; reading it again does not help. */
    static final class DamagedFile extends IOException {
        private static final long serialVersionUID = 1;

        DamagedFile(String what) {
            super(what);
        }
    }

    /** The size on disk of a file of this length. */
    static long blocks(long length) {
        return (length + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }

    /** The name of a file whose bytes have this sum. */
    static String name(long second, int points, CRC32C sum) {
        return String.format(Locale.ROOT, "%d-%d.tick.%08x", second, points, sum.getValue());
    }

    @Override
    public List<Place> places() throws IOException {
        List<Place> places = new ArrayList<>();
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            check(file);
            long size = file.size();
            long found = 0;
            for (long at = 0; at < size; ) {
                ByteBuffer header = read(file, at, HEADER_BYTES);
                Place place = new Place(at + HEADER_BYTES, header.getInt(), header.getInt());
                at = place.at() + place.length();
                if (place.length() <= 0 || place.points() <= 0 || at > size) {
                    throw new DamagedFile(path + " is damaged");
                }
                found += place.points();
                places.add(place);
            }
            if (found != points) {
                throw new DamagedFile(path + " is damaged: points in it: " + found + ", by its name: " + points);
            }
        }
        return places;
    }

    private void check(FileChannel file) throws IOException {
        Matcher name = NAME.matcher(path.getFileName().toString());
        String written = name.matches() ? name.group(3) : null;
        if (written == null) {
            return;
        }
        CRC32C sum = new CRC32C();
        ByteBuffer some = ByteBuffer.allocate(READ_BYTES);
        for (long at = 0; file.read(some.clear(), at) >= 0; at += some.limit()) {
            sum.update(some.flip());
        }
        if (sum.getValue() != Long.parseLong(written, 16)) {
            throw new DamagedFile(path + " is damaged: its bytes are not those that were written");
        }
    }

    @Override
    public byte[] read(Place place) throws IOException {
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            return read(file, place.at(), place.length()).array();
        }
    }

    private static ByteBuffer read(FileChannel file, long at, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (file.read(bytes, at + bytes.position()) < 0) {
                throw new DamagedFile("the file ends too early");
            }
        }
        return bytes.flip();
    }
}
