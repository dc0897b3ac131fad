package io.counters.collector.ledger;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;

/** Files of a backup: their sums, and copies of them in a data folder, which the collector's user can write. */
public final class RestoredFile {
    /** Beyond the files themselves: for the collector that starts then. */
    private static final long SPARE_BYTES = 16 << 20;

    private RestoredFile() {}

    /** The SHA-256 of a file, in hex. */
    public static String sum(Path file) throws IOException {
        return transfer(file, OutputStream.nullOutputStream());
    }

    /**
     * Writes a copy, and syncs it. The copy is a new file with the permissions of new files, whatever those of the backup are,
     * and belongs to the owner of its folder.
     *
     * @param to replaced if it is there; a link there is replaced, not followed
     * @param sum the SHA-256 that the copy must have
     * @throws IOException if it could not be written, or has another sum
     */
    public static void copy(Path from, Path to, String sum) throws IOException {
        Files.deleteIfExists(to);
        String copied;
        try (FileChannel channel = create(to)) {
            copied = transfer(from, Channels.newOutputStream(channel));
            channel.force(true);
        }
        if (!copied.equals(sum)) {
            throw new IOException(
                    "the copy of " + from + " is not what was written; check the disks, and try it again");
        }
    }

    /**
     * Checks that there is room for a copy.
     *
     * @throws IOException if there is not, with the numbers
     */
    public static void requireRoom(Path from, Path folder) throws IOException {
        long needed = Files.size(from) + SPARE_BYTES;
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < needed) {
            throw new IOException("a copy in " + folder + " needs " + needed + " bytes of disk, and " + free
                    + " are free; free some space");
        }
    }

    /**
     * Creates a file to write it, never one that is there. If this process is root's, the file is given to the owner and the group
     * of its folder, so that the collector can write it.
     */
    static FileChannel create(Path file) throws IOException {
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, NOFOLLOW_LINKS);
        boolean isGiven = false;
        try {
            give(file);
            isGiven = true;
            return channel;
        } finally {
            if (!isGiven) {
                channel.close();
            }
        }
    }

    /** The folder's owner can replace what was just created by a link to another user's file, which must not be given away. */
    static void give(Path created) throws IOException {
        Path folder = Objects.requireNonNull(created.toAbsolutePath().getParent());
        if (isOfRoot(created)) {
            if (!Files.isRegularFile(created, NOFOLLOW_LINKS)
                    || !Integer.valueOf(1).equals(Files.getAttribute(created, "unix:nlink", NOFOLLOW_LINKS))) {
                throw new IOException(created + " was replaced as soon as it was created; find out by whom");
            }
            PosixFileAttributes owner = Files.readAttributes(folder, PosixFileAttributes.class);
            PosixFileAttributeView file =
                    Files.getFileAttributeView(created, PosixFileAttributeView.class, NOFOLLOW_LINKS);
            file.setGroup(owner.group());
            file.setOwner(owner.owner());
        }
    }

    /** Whether root owns it; false where there is no such user. */
    public static boolean isOfRoot(Path file) throws IOException {
        return file.getFileSystem().supportedFileAttributeViews().contains("unix")
                && Integer.valueOf(0).equals(Files.getAttribute(file, "unix:uid", NOFOLLOW_LINKS));
    }

    private static String transfer(Path from, OutputStream to) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream in = new DigestInputStream(Files.newInputStream(from), digest)) {
                in.transferTo(to);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }
}
