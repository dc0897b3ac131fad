package io.counters.collector.intake;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.udp.UnixSocket;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The setting of the Unix socket.
 *
 * @param path empty for none
 */
public record UnixSettings(Optional<Path> path) {
    public static UnixSettings from(Settings settings) {
        return new UnixSettings(settings.get(CollectorFlag.UNIX, UnixSettings::path));
    }

    private static Optional<Path> path(String text) {
        if (text.isEmpty()) {
            return Optional.empty();
        }
        if (text.startsWith("unix:") || text.startsWith("unixgram:") || text.startsWith("@")) {
            throw new IllegalArgumentException("which is not a path; write only the path: /run/counters/counters.sock");
        }
        try {
            Path path = Path.of(text);
            int bytes = UnixSocket.bytes(path);
            if (bytes > UnixSocket.PATH_BYTES_MAX) {
                throw new IllegalArgumentException(
                        "which has " + bytes + " bytes; the path of a Unix socket has at most "
                                + UnixSocket.PATH_BYTES_MAX + ", such as /run/counters/counters.sock");
            }
            return Optional.of(path);
        } catch (InvalidPathException noPath) {
            throw new IllegalArgumentException("which is not a path on this system: " + noPath.getReason(), noPath);
        }
    }
}
