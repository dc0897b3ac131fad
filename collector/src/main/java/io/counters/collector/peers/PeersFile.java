package io.counters.collector.peers;

import io.counters.collector.ledger.PeerList;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.emit.CollectorAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Reads the list of peers; the package's Javadoc shows its format. */
final class PeersFile {
    /** In UTF-8, read as ISO 8859-1; some editors write it first. */
    private static final String BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

    private static final String NUMBER = "list ";
    private static final String OUT = "out ";
    private static final String GONE = "gone ";

    private final Path file;
    private final List<String> mistakes = new ArrayList<>();
    private final List<CollectorAddress> peers = new ArrayList<>();
    private final List<String> out = new ArrayList<>();
    private final List<String> gone = new ArrayList<>();
    private int number;

    private PeersFile(Path file) {
        this.file = file;
    }

    /**
     * Reads the file.
     *
     * @throws SettingsException with every error, by line
     */
    static PeerList read(Path file) throws SettingsException {
        return new PeersFile(file).read();
    }

    private PeerList read() throws SettingsException {
        try {
            List<String> lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                read(i + 1, (i == 0 && line.startsWith(BYTE_ORDER_MARK) ? line.substring(3) : line).strip());
            }
        } catch (NoSuchFileException missing) {
            throw new SettingsException(List.of(file + " does not exist; it must contain the list of peers"));
        } catch (IOException unreadable) {
            throw new SettingsException(List.of(file + " cannot be read: " + unreadable.getMessage()));
        }
        if (number == 0) {
            mistakes.add(file
                    + " has no number; begin it with the line \"list 1\", and increase the number with every change");
        }
        if (peers.isEmpty()) {
            mistakes.add(file + " names no collector; add one per line, as HOST:PORT");
        } else {
            CollectorAddress.mistakes(peers).forEach(mistake -> mistakes.add(file + ": " + mistake));
        }
        Set<String> known = new HashSet<>();
        peers.forEach(peer -> known.add(peer.toString().toLowerCase(Locale.ROOT)));
        Stream.concat(out.stream(), gone.stream())
                .filter(address -> !known.add(address.toLowerCase(Locale.ROOT)))
                .forEach(address -> mistakes.add(file + ": \"" + address + "\" appears twice"));
        if (!mistakes.isEmpty()) {
            throw new SettingsException(mistakes);
        }
        return new PeerList(
                number,
                peers.stream()
                        .map(peer -> new PeerList.Peer(peer.toString(), peer.weight()))
                        .toList(),
                out,
                gone);
    }

    private void read(int place, String text) {
        if (text.isEmpty() || text.startsWith("#")) {
            return;
        }
        // A keyword alone is not a collector with that name.
        String line = text + " ";
        try {
            if (line.startsWith(NUMBER)) {
                int read = Settings.wholeNumber(line.substring(NUMBER.length()).strip(), 1, Integer.MAX_VALUE);
                if (number != 0) {
                    throw new IllegalArgumentException("\"list\" appears twice; keep one of the two lines");
                }
                number = read;
            } else if (line.startsWith(OUT)) {
                out.add(CollectorAddress.read(line.substring(OUT.length())).toString());
            } else if (line.startsWith(GONE)) {
                gone.add(CollectorAddress.read(line.substring(GONE.length())).toString());
            } else {
                peers.add(CollectorAddress.read(line));
            }
        } catch (IllegalArgumentException wrong) {
            mistakes.add(file + " line " + place + " is \"" + text + "\": " + wrong.getMessage());
        }
    }
}
