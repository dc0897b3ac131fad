package io.counters.emit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.wire.KeyLines;
import io.counters.wire.SigningKey;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;

/** Reads the setting {@code key}, which is {@code ID:FILE}. */
final class KeySetting {
    /** More than the largest file of keys has. */
    private static final int FILE_BYTES_MAX = 1 << 20;

    private KeySetting() {}

    /** @throws IllegalArgumentException with the place, the rule and the remedy; never with a key */
    static SigningKey read(String idAndFile) {
        int colon = idAndFile.indexOf(':');
        if (colon < 1 || colon == idAndFile.length() - 1) {
            // It is not shown, because it may be the key itself.
            throw new IllegalArgumentException(
                    "key is not of the form ID:FILE; write the key's ID and the file that has it, such as shop:/etc/counters/keys");
        }
        String id = idAndFile.substring(0, colon);
        String file = idAndFile.substring(colon + 1);
        String shown = shown(file);
        KeyLines lines = KeyLines.of(text(file, shown));
        if (!lines.mistakes().isEmpty()) {
            List<String> places = new ArrayList<>();
            for (String mistake : lines.mistakes()) {
                places.add(shown + " " + mistake);
            }
            throw new IllegalArgumentException("key: " + String.join("; ", places));
        }
        SigningKey key = lines.find(id);
        if (key == null) {
            throw new IllegalArgumentException(
                    "key names a key that " + shown + " does not have; it has: " + ids(lines.keys()));
        }
        return key;
    }

    /** The file as a message may show it: what is neither a file nor a path may be the key itself. */
    private static String shown(String file) {
        boolean isPath;
        try {
            Path path = Paths.get(file);
            Path folder = path.getParent();
            isPath = Files.exists(path) || (folder != null && folder.getNameCount() > 0 && Files.isDirectory(folder));
        } catch (InvalidPathException | SecurityException unknown) {
            isPath = false;
        }
        return isPath ? file : "(not shown, because it may be the key itself)";
    }

    private static String text(String file, String shown) {
        try {
            Path path = Paths.get(file);
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                // To read a pipe or a device may never end.
                throw new IllegalArgumentException(
                        "key names " + shown + ", which is not a regular file; name a file of keys");
            }
            return text(path, shown);
        } catch (NoSuchFileException missing) {
            // Not as the cause, whose message is what may be the key. The same below.
            throw new IllegalArgumentException("key names the file " + shown + ", which does not exist; write ID:FILE");
        } catch (IOException | InvalidPathException | SecurityException cannot) {
            throw new IllegalArgumentException("key names the file " + shown + ", which cannot be read ("
                    + cannot.getClass().getSimpleName() + "); name a file that this process can read");
        }
    }

    private static String text(Path path, String shown) throws IOException {
        byte[] bytes = new byte[FILE_BYTES_MAX + 1];
        int size = 0;
        try (InputStream in = Files.newInputStream(path)) {
            for (int read = 0; read >= 0 && size < bytes.length; size += Math.max(0, read)) {
                read = in.read(bytes, size, bytes.length - size);
            }
        }
        if (size > FILE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "key names the file " + shown + ", which has more than 1 MiB; name a file of keys");
        }
        return new String(bytes, 0, size, UTF_8);
    }

    private static String ids(List<SigningKey> keys) {
        StringBuilder ids = new StringBuilder();
        for (SigningKey key : keys) {
            ids.append(ids.length() == 0 ? "" : ", ").append(key);
        }
        return ids.toString();
    }
}
