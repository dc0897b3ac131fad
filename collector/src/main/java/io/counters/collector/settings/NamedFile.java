package io.counters.collector.settings;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Reads files that settings name. No exception of it contains the name, because that may be a secret, given instead of the name
 * of its file.
 */
public final class NamedFile {
    /** More than such a file has, so that a device cannot fill the heap. */
    private static final int BYTES_MAX = 1 << 20;

    private NamedFile() {}

    /**
     * The path of a file.
     *
     * @throws IllegalArgumentException if there is none, with the reason
     */
    public static Path path(String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException noPath) {
            // Not as the cause, whose message contains the name.
            throw new IllegalArgumentException("which is not a path on this system: " + noPath.getReason());
        }
    }

    /**
     * The content of a regular file, which may be read again: to read a pipe or a device may never end.
     *
     * @throws IOException for {@link #reason}
     */
    public static byte[] bytes(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException("it is not a regular file");
        }
        return read(file);
    }

    /**
     * The content of a file, in UTF-8. It may be a pipe, such as that of {@code <(...)} in a shell.
     *
     * @throws IllegalArgumentException with the reason
     */
    public static String text(String name) {
        try {
            return text(path(name));
        } catch (IOException unreadable) {
            throw new IllegalArgumentException("which cannot be read as text: " + reason(unreadable));
        }
    }

    /** The same; throws what {@link #reason} takes. */
    static String text(Path file) throws IOException {
        return UTF_8.newDecoder().decode(ByteBuffer.wrap(read(file))).toString();
    }

    private static byte[] read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(BYTES_MAX + 1);
            if (bytes.length > BYTES_MAX) {
                throw new IOException("it is larger than 1 MiB");
            }
            return bytes;
        }
    }

    /** Why a file cannot be read. Unlike the exception's message, it does not contain the name. */
    public static String reason(IOException why) {
        if (why instanceof NoSuchFileException) {
            return "there is no such file";
        }
        if (why instanceof AccessDeniedException) {
            return "this process may not read it";
        }
        if (why instanceof CharacterCodingException) {
            return "it is not UTF-8 text";
        }
        String reason = why instanceof FileSystemException named ? named.getReason() : why.getMessage();
        return reason == null ? why.getClass().getSimpleName() : reason;
    }
}
