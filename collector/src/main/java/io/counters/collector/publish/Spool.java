package io.counters.collector.publish;

import io.counters.collector.common.DiskFault;
import io.counters.collector.ledger.Snapshot;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
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
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The ticks of one sink that are not confirmed yet, one file each in a folder next to the ledger, whose lock file also
 * protects it. For any thread. No lock is held during disk operations, so methods that only return values never wait for the
 * disk.
 *
 * <p>A tick is completely synced to disk before its first point is sent, and deleted when its last one is confirmed: a
 * collector that is killed at any moment sends it again, unchanged, after its restart. An incomplete file is not named
 * {@code .tick} yet and is deleted. The name is the format, too: another one would be {@code .tick2}.
 *
 * <p>The lists and sums in memory agree with the disk, even if the disk fails. A tick that {@link #write} refuses has no
 * file. The bytes of a file that cannot be deleted are still counted, and deleting it is tried again before each tick: if it
 * was to make room, it is still a tick that will be sent; if it is confirmed, it is not sent again before a restart. While
 * files that cannot be deleted exceed the bound, new ticks are refused.
 */
final class Spool implements Backlog {
    /** What a version that writes another format must name its files, so that this one leaves them alone and says so. */
    private static final Pattern OTHER_FORMAT = Pattern.compile("\\d+-\\d+\\.tick.+");

    private static final String UNFINISHED = "unfinished";
    private static final int BUFFER_BYTES = 256 * 1024;

    private final Path folder;
    private final long bytesMax;
    private final TreeMap<Long, TickFile> ticks = new TreeMap<>();

    /** Finished ticks whose files must be deleted. */
    private final List<TickFile> removed = new ArrayList<>();

    /** Finished ticks whose files could not be deleted. */
    private final List<TickFile> stuck = new ArrayList<>();

    /** The bytes of all files, including those that must be deleted. */
    private long bytes;

    private long points;

    /** Why the last file could not be deleted; null if it could. */
    private @Nullable String undeleted;

    /** Why the folder could not be synced; null if it could. */
    private @Nullable String unsynced;

    /** Files that another version has left, in a format of its own. */
    private final List<Path> unknown = new ArrayList<>();

    /**
     * Lists the ticks that an earlier run left.
     *
     * @param bytesMax the maximum bytes on disk; the newest tick may be larger
     * @throws IOException if the folder cannot be used; the message contains the reason and the remedy
     */
    Spool(Path folder, long bytesMax) throws IOException {
        this.folder = folder;
        this.bytesMax = bytesMax;
        try {
            Files.createDirectories(folder);
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Matcher name = TickFile.NAME.matcher(file.getFileName().toString());
                    if (name.matches() && Files.isRegularFile(file)) {
                        add(new TickFile(
                                file,
                                Long.parseLong(name.group(1)),
                                Integer.parseInt(name.group(2)),
                                TickFile.blocks(Files.size(file))));
                    } else if (OTHER_FORMAT
                            .matcher(file.getFileName().toString())
                            .matches()) {
                        unknown.add(file);
                    }
                }
            }
        } catch (IOException cannot) {
            throw new IOException("the spool " + folder + " cannot be used: " + DiskFault.text(cannot), cannot);
        } catch (UncheckedIOException cannot) {
            throw new IOException("the spool " + folder + " cannot be listed: " + cannot.getMessage(), cannot);
        }
        // If it cannot be deleted, the next tick overwrites it.
        undone(folder.resolve(UNFINISHED));
    }

    private void add(TickFile tick) {
        ticks.put(tick.second(), tick);
        bytes += tick.bytes();
        points += tick.points();
    }

    @Override
    public synchronized List<TickFile> ticks() {
        return List.copyOf(ticks.values());
    }

    @Override
    public TickFile write(long second, Snapshot values, TickPacker bodies, Runnable done) throws IOException {
        TickFile tick = write(second, values, bodies);
        done.run();
        return tick;
    }

    /**
     * Writes a tick to disk and syncs it. If only the folder cannot be synced, the tick is kept and sent nevertheless,
     * because only a failure of the machine can lose it: see {@link #trouble}.
     *
     * @throws IOException if it is not on disk, for example because the disk is full or there is a tick of this second
     */
    TickFile write(long second, Snapshot values, TickPacker bodies) throws IOException {
        retry();
        synchronized (this) {
            if (ticks.containsKey(second)) {
                throw new IOException("there is a tick of second " + second + " already");
            }
            if (bytes > bytesMax && (ticks.size() > 1 || !stuck.isEmpty())) {
                throw new IOException("it is full" + (undeleted == null ? "" : ", and " + undeleted));
            }
        }
        Path unfinished = folder.resolve(UNFINISHED);
        Path finished = unfinished;
        boolean isFinished = false;
        TickFile tick;
        try {
            CRC32C sum = new CRC32C();
            long length = write(unfinished, second, values, bodies, sum);
            finished = folder.resolve(TickFile.name(second, values.size(), sum));
            tick = new TickFile(finished, second, values.size(), TickFile.blocks(length));
            Files.move(unfinished, finished);
            isFinished = true;
        } finally {
            if (!isFinished) {
                // On a full disk the ledger needs the space more.
                undone(unfinished);
                undone(finished);
            }
        }
        synchronized (this) {
            add(tick);
        }
        sync();
        return tick;
    }

    private static long write(Path file, long second, Snapshot values, TickPacker bodies, CRC32C sum)
            throws IOException {
        try (FileChannel channel = FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
                DataOutputStream out = new DataOutputStream(new BufferedOutputStream(
                        new CheckedOutputStream(Channels.newOutputStream(channel), sum), BUFFER_BYTES))) {
            bodies.write(second, values, (body, count) -> {
                out.writeInt(body.length);
                out.writeInt(count);
                out.write(body);
            });
            out.flush();
            channel.force(true);
            return channel.size();
        }
    }

    private void sync() {
        String failed = null;
        try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
            names.force(true);
        } catch (IOException cannot) {
            failed = DiskFault.text(cannot);
        }
        synchronized (this) {
            unsynced = failed;
        }
    }

    /** The oldest tick if all files exceed the bound; null if they do not, or if there is only one tick. */
    synchronized @Nullable TickFile excess() {
        return bytes > bytesMax && ticks.size() > 1 ? ticks.firstEntry().getValue() : null;
    }

    /**
     * Deletes a tick that is not confirmed.
     *
     * @return whether its file is deleted; if not, it remains a tick
     */
    boolean drop(TickFile tick) {
        if (!delete(tick.path())) {
            return false;
        }
        synchronized (this) {
            if (takeOut(tick)) {
                bytes -= tick.bytes();
            }
        }
        return true;
    }

    @Override
    public @Nullable TickFile dropExcess() {
        TickFile oldest = excess();
        return oldest != null && drop(oldest) ? oldest : null;
    }

    /** {@link #sweep} deletes its file. */
    @Override
    public synchronized void remove(TickBodies tick) {
        TickFile file = ticks.get(tick.second());
        if (file != null && takeOut(tick)) {
            removed.add(file);
        }
    }

    private boolean takeOut(TickBodies tick) {
        boolean isThere = ticks.remove(tick.second(), tick);
        if (isThere) {
            points -= tick.points();
        }
        return isThere;
    }

    /** Deletes the files of ticks that were removed. */
    @Override
    public void sweep() {
        for (TickFile tick = next(removed); tick != null; tick = next(removed)) {
            boolean isDeleted = delete(tick.path());
            synchronized (this) {
                if (isDeleted) {
                    bytes -= tick.bytes();
                } else {
                    stuck.add(tick);
                }
            }
        }
    }

    private void retry() {
        synchronized (this) {
            removed.addAll(stuck);
            stuck.clear();
        }
        sweep();
    }

    private synchronized @Nullable TickFile next(List<TickFile> some) {
        return some.isEmpty() ? null : some.remove(some.size() - 1);
    }

    private static void undone(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException stays) {
            // The cause is reported already.
        }
    }

    private boolean delete(Path file) {
        String failed = null;
        try {
            Files.deleteIfExists(file);
        } catch (IOException stays) {
            failed = "a file cannot be deleted: " + DiskFault.text(stays);
        }
        synchronized (this) {
            undeleted = failed;
        }
        return failed == null;
    }

    /** A problem with the disk although the last tick was written; null if there is none. */
    @Override
    public synchronized @Nullable String trouble() {
        if (undeleted != null) {
            return undeleted;
        }
        if (unsynced != null) {
            return "the folder cannot be synced, so a power failure may lose ticks: " + unsynced;
        }
        unknown.removeIf(file -> !Files.exists(file));
        return unknown.isEmpty()
                ? null
                : "it has ticks that a newer version has written, and this version cannot send (files: "
                        + unknown.size() + "); run that version until it has sent them, or delete them";
    }

    /** The bytes of all files. */
    @Override
    public synchronized long bytes() {
        return bytes;
    }

    @Override
    public synchronized long points() {
        return points;
    }

    /** The oldest tick's second; {@code nothing} if there is none. */
    synchronized long oldest(long nothing) {
        return ticks.isEmpty() ? nothing : ticks.firstKey();
    }

    /** The folder. */
    @Override
    public String toString() {
        return folder.toString();
    }
}
