package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.NamedFile;
import io.counters.collector.settings.Settings;
import io.counters.wire.KeyLines;
import io.counters.wire.SigningKey;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The settings of signed datagrams.
 *
 * @param file has the keys, {@code KEY-ID HEX-KEY [prefix=NAME-PREFIX]} on each line
 * @param keys those that it had at the start
 * @param isRequired whether datagrams without a signature, and TCP, are refused
 */
public record KeySettings(Path file, List<SigningKey> keys, boolean isRequired) {
    private static final String REQUIRED = "required";
    private static final String ACCEPTED = "accepted";
    private static final int FILE_BYTES_MAX = 1 << 20;

    public KeySettings {
        keys = List.copyOf(keys);
    }

    /** Reads the settings, and the file; empty if there are no keys. */
    public static Optional<KeySettings> from(Settings settings) {
        Optional<Path> file = settings.get(CollectorFlag.KEYS, KeySettings::path);
        boolean isRequired = settings.get(CollectorFlag.SIGNING, KeySettings::requires);
        if (file.isEmpty()) {
            if (settings.isGiven(CollectorFlag.SIGNING) && !settings.isGiven(CollectorFlag.KEYS)) {
                settings.refuse(
                        CollectorFlag.SIGNING, "which has an effect only with keys; give their file as --keys FILE");
            }
            return Optional.empty();
        }
        try {
            KeyLines lines = KeyLines.of(text(file.get()));
            lines.mistakes().forEach(mistake -> settings.refuse(CollectorFlag.KEYS, "which " + which(mistake)));
            return Optional.of(new KeySettings(file.get(), lines.keys(), isRequired));
        } catch (IOException unreadable) {
            settings.refuse(CollectorFlag.KEYS, "which " + unreadable.getMessage());
            return Optional.of(new KeySettings(file.get(), List.of(), isRequired));
        }
    }

    private static String which(String mistake) {
        return mistake.startsWith("line ") ? "in " + mistake : mistake;
    }

    /** @throws IOException whose message is what is wrong with the file, and the remedy, to follow its name */
    static String text(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            // To read a pipe or a device may never end.
            throw new IOException("is not a regular file; give a file with lines KEY-ID HEX-KEY");
        }
        try {
            byte[] bytes;
            try (InputStream in = Files.newInputStream(file)) {
                bytes = in.readNBytes(FILE_BYTES_MAX + 1);
            }
            if (bytes.length <= FILE_BYTES_MAX) {
                return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            }
        } catch (NoSuchFileException missing) {
            throw new IOException("does not exist; give a file with lines KEY-ID HEX-KEY", missing);
        } catch (AccessDeniedException denied) {
            throw new IOException("this process may not read; give it to the user who runs the collector", denied);
        } catch (CharacterCodingException notText) {
            throw new IOException("is not UTF-8 text; give a file with lines KEY-ID HEX-KEY", notText);
        } catch (IOException unreadable) {
            throw new IOException("cannot be read: " + NamedFile.reason(unreadable), unreadable);
        }
        throw new IOException("has more than 1 MiB; give a file with lines KEY-ID HEX-KEY");
    }

    private static Optional<Path> path(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(NamedFile.path(text));
    }

    private static boolean requires(String text) {
        return switch (text) {
            case REQUIRED -> true;
            case ACCEPTED -> false;
            default -> throw new IllegalArgumentException("allowed are " + REQUIRED + " and " + ACCEPTED);
        };
    }
}
