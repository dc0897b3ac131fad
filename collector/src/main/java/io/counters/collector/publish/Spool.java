package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The ticks of one sink that are not confirmed yet, a file each in a folder beside the ledger, whose lock guards it too.
 * For any thread.
 *
 * <p>A tick is synced to disk as a whole before its first point is sent, and deleted when its last one is confirmed: a
 * collector that is killed at any moment sends it again, unchanged, in its next life. A file that was not complete is
 * not named {@code .tick} yet and is thrown away.
 */
final class Spool {
    private static final Pattern NAME = Pattern.compile("(\\d{1,18})-(\\d{1,9})\\.tick");
    private static final String UNFINISHED = "unfinished";
    private static final int BUFFER_BYTES = 256 * 1024;

    private final Path folder;
    private final long bytesMax;
    private final TreeMap<Long, TickFile> ticks = new TreeMap<>();
    private long bytes;
    private long points;

    /**
     * Takes up what an earlier life left.
     *
     * @param bytesMax on disk; the newest tick may be larger than it all the same
     * @throws IOException when the folder can't be had; the message names the remedy
     */
    Spool(Path folder, long bytesMax) throws IOException {
        this.folder = folder;
        this.bytesMax = bytesMax;
        try {
            Files.createDirectories(folder);
            Files.deleteIfExists(folder.resolve(UNFINISHED));
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Matcher name = NAME.matcher(file.getFileName().toString());
                    if (name.matches()) {
                        add(new TickFile(
                                file,
                                Long.parseLong(name.group(1)),
                                Integer.parseInt(name.group(2)),
                                TickFile.blocks(Files.size(file))));
                    }
                }
            }
        } catch (IOException cannot) {
            throw new IOException(
                    "the spool " + folder + " can't be used (" + cannot + "); give another folder with --data-dir",
                    cannot);
        }
    }

    private void add(TickFile tick) {
        ticks.put(tick.second(), tick);
        bytes += tick.bytes();
        points += tick.points();
    }

    /** All ticks, the oldest first. */
    synchronized List<TickFile> ticks() {
        return List.copyOf(ticks.values());
    }

    /**
     * Brings a tick to disk; when this returns it is synced.
     *
     * @throws IOException when it is not: the disk is full, say, or there is a tick of this second
     */
    TickFile write(long second, Snapshot values, Bodies bodies) throws IOException {
        synchronized (this) {
            if (ticks.containsKey(second)) {
                throw new IOException("there is a tick of second " + second + " already");
            }
        }
        Path unfinished = folder.resolve(UNFINISHED);
        Path finished = folder.resolve(second + "-" + values.size() + ".tick");
        long length;
        boolean isWritten = false;
        try (FileChannel file = FileChannel.open(
                        unfinished,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
                DataOutputStream out =
                        new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(file), BUFFER_BYTES))) {
            bodies.write(second, values, (body, count) -> {
                out.writeInt(body.length);
                out.writeInt(count);
                out.write(body);
            });
            out.flush();
            file.force(true);
            length = file.size();
            Files.move(unfinished, finished);
            isWritten = true;
        } finally {
            if (!isWritten) {
                // On a full disk the ledger needs the room more.
                Files.deleteIfExists(unfinished);
            }
        }
        try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
            names.force(true);
        }
        TickFile tick = new TickFile(finished, second, values.size(), TickFile.blocks(length));
        synchronized (this) {
            add(tick);
        }
        return tick;
    }

    /** Takes the oldest ticks out until the rest fits, and returns them; the newest stays. */
    synchronized List<TickFile> shed() {
        List<TickFile> shed = new ArrayList<>();
        while (bytes > bytesMax && ticks.size() > 1) {
            TickFile oldest = ticks.firstEntry().getValue();
            remove(oldest);
            shed.add(oldest);
        }
        return shed;
    }

    /** Deletes a tick. */
    synchronized void remove(TickFile tick) {
        if (ticks.remove(tick.second(), tick)) {
            bytes -= tick.bytes();
            points -= tick.points();
            try {
                Files.deleteIfExists(tick.path());
            } catch (IOException stays) {
                // It is sent again in the next life, which changes nothing.
            }
        }
    }

    /** The bytes of all ticks, on disk. */
    synchronized long bytes() {
        return bytes;
    }

    /** The points of all ticks. */
    synchronized long points() {
        return points;
    }

    /** The oldest tick's second; {@code nothing} where there is none. */
    synchronized long oldest(long nothing) {
        return ticks.isEmpty() ? nothing : ticks.firstKey();
    }

    /** Where it lies. */
    @Override
    public String toString() {
        return folder.toString();
    }
}
