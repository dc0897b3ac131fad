package io.counters.collector.peers;

import io.counters.collector.settings.Setting;
import io.counters.collector.settings.Settings;
import io.counters.emit.CollectorAddress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The settings of several collectors.
 *
 * @param file the list of peers; empty if there are none
 * @param self this collector's address as it is written in that file
 */
public record PeersSettings(Optional<Path> file, String self) {
    /** The address, with a prefix before it, must fit into a key of the store. */
    private static final int ADDRESS_LETTERS_MAX = 150;

    public static PeersSettings from(Settings settings) {
        Optional<Path> file =
                settings.get(Setting.PEERS, text -> text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text)));
        String self = settings.get(Setting.SELF, text -> address(text, file.isPresent()));
        return new PeersSettings(file, self);
    }

    private static String address(String text, boolean isNeeded) {
        if (text.isEmpty() && !isNeeded) {
            return text;
        }
        if (text.isEmpty()) {
            throw new IllegalArgumentException(
                    "which --peers requires; set this collector's own address, --self HOST:PORT");
        }
        String address = CollectorAddress.read(text).toString();
        if (address.length() > ADDRESS_LETTERS_MAX) {
            throw new IllegalArgumentException("allowed are at most " + ADDRESS_LETTERS_MAX + " characters");
        }
        return address;
    }
}
