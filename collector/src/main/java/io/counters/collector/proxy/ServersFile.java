package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.common.FaultLog;
import io.counters.collector.settings.SettingsException;
import io.counters.ring.KetamaRing;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Reads servers.conf in statsite-proxy's format: in each line a server, {@code HOST:PORT}, blanks, and its weight. Empty
 * lines, and lines that begin with {@code #}, are ignored.
 */
final class ServersFile {
    /** So that a wrong file does not open thousands of connections. */
    static final int SERVERS_MAX = 1000;

    private static final int FILE_BYTES_MAX = 1 << 20;

    private final Path file;
    private final List<Server> servers = new ArrayList<>();
    private final List<String> mistakes = new ArrayList<>();
    private final List<String> remarks = new ArrayList<>();
    private final Set<String> known = new HashSet<>();

    private ServersFile(Path file) {
        this.file = file;
    }

    /**
     * The content of a file.
     *
     * @param servers at least one
     * @param remarks oddities that are not errors, for the log
     */
    record Read(List<Server> servers, List<String> remarks) {
        Read {
            servers = List.copyOf(servers);
            remarks = List.copyOf(remarks);
        }
    }

    /**
     * Reads the file.
     *
     * @throws SettingsException with all errors, by line
     */
    static Read read(Path file) throws SettingsException {
        return new ServersFile(file).read();
    }

    /**
     * Reads a whole file; reading it by line would not show whether the last line has ended.
     *
     * @throws IOException also when the file is too long to contain settings
     */
    static String text(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(FILE_BYTES_MAX + 1);
            if (bytes.length > FILE_BYTES_MAX) {
                throw new IOException("it is longer than " + FILE_BYTES_MAX + " bytes");
            }
            return new String(bytes, UTF_8);
        }
    }

    private Read read() throws SettingsException {
        try {
            read(text(file));
        } catch (NoSuchFileException missing) {
            mistakes.add(file + " does not exist (current folder: "
                    + Path.of("").toAbsolutePath()
                    + "); create it, with a server in each line: HOST:PORT<TAB>WEIGHT");
        } catch (IOException unreadable) {
            mistakes.add(file + " cannot be read: " + unreadable.getMessage());
        }
        if (mistakes.isEmpty() && servers.isEmpty()) {
            mistakes.add(file + " lists no servers; write a server in each line: HOST:PORT<TAB>WEIGHT");
        }
        if (servers.size() > SERVERS_MAX) {
            mistakes.add(file + " lists " + servers.size() + " servers; at most " + SERVERS_MAX + " are allowed");
        }
        if (!mistakes.isEmpty()) {
            throw new SettingsException(mistakes);
        }
        long weights = servers.stream().mapToLong(Server::weight).sum();
        for (Server server : servers) {
            if (KetamaRing.hashes(server.weight(), weights, servers.size()) == 0) {
                remarks.add(file + ": " + server + " has a weight of " + server.weight() + " of " + weights
                        + ", so it owns no keys; raise its weight, or remove it");
            }
        }
        return new Read(servers, remarks);
    }

    private void read(String text) {
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            String line = i == 0 && lines[i].startsWith("\uFEFF") ? lines[i].substring(1) : lines[i];
            boolean isCut = i == lines.length - 1;
            String place = file + " line " + (i + 1);
            try {
                line(place, line.endsWith("\r") ? line.substring(0, line.length() - 1) : line, isCut);
            } catch (IllegalArgumentException wrong) {
                mistakes.add(place + " begins with \"" + firstWord(line) + "\": " + wrong.getMessage());
            }
        }
    }

    /** Neither the rest of the line nor what precedes an @, because the file may be a wrong one that contains secrets. */
    private static String firstWord(String line) {
        return FaultLog.shown(line.strip().split("\\s", 2)[0].replaceFirst(".*@", "...@"));
    }

    private void line(String place, String line, boolean isCut) {
        String said = line.strip();
        if (said.isEmpty() || said.startsWith("#")) {
            return;
        }
        String[] words = said.split("[ \t]+", -1);
        if (words.length != 2) {
            throw new IllegalArgumentException("the form of a line is HOST:PORT<TAB>WEIGHT");
        }
        Server server = Server.of(words[0], weight(words[1]));
        if (!known.add(server.address().toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException("this server appears twice; write it once, with its whole weight");
        }
        servers.add(server);
        if (isCut || !line.endsWith(words[1])) {
            remarks.add(place + " ends " + (isCut ? "without a line break" : "with blanks") + ": the weight is "
                    + words[1] + " here, but statsite-proxy drops its last digit, so its ring is different");
        }
    }

    private static long weight(String text) {
        long weight = 0;
        for (int i = 0; i < text.length() && weight >= 0; i++) {
            char c = text.charAt(i);
            weight = c >= '0' && c <= '9' && weight <= Server.WEIGHT_MAX ? 10 * weight + c - '0' : -1;
        }
        if (weight < 1 || weight > Server.WEIGHT_MAX) {
            throw new IllegalArgumentException("a weight is a whole number from 1 to " + Server.WEIGHT_MAX);
        }
        return weight;
    }
}
