package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.self.FaultLog;
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
 * servers.conf as statsite-proxy has it: a server a line, {@code HOST:PORT}, blanks, its weight. Lines that begin with
 * {@code #}, and empty ones, say nothing.
 */
final class ServersFile {
    /** So that a file that is none does not open thousands of connections. */
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
     * What a file says.
     *
     * @param servers at least one
     * @param remarks what is odd and stops nothing
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
     * @throws SettingsException with every mistake, by line
     */
    static Read read(Path file) throws SettingsException {
        return new ServersFile(file).read();
    }

    /**
     * All of a file; not by line, which would not tell whether the last line has ended.
     *
     * @throws IOException also when it is so long that it can't be a file of settings
     */
    static String text(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(FILE_BYTES_MAX + 1);
            if (bytes.length > FILE_BYTES_MAX) {
                throw new IOException("it has more than " + FILE_BYTES_MAX + " bytes");
            }
            return new String(bytes, UTF_8);
        }
    }

    private Read read() throws SettingsException {
        try {
            read(text(file));
        } catch (NoSuchFileException missing) {
            mistakes.add(file + " does not exist (in " + Path.of("").toAbsolutePath()
                    + "); it holds the servers, a line each: HOST:PORT<TAB>WEIGHT");
        } catch (IOException unreadable) {
            mistakes.add(file + " can't be read: " + unreadable.getMessage());
        }
        if (mistakes.isEmpty() && servers.isEmpty()) {
            mistakes.add(file + " names no server; give one a line, HOST:PORT<TAB>WEIGHT");
        }
        if (servers.size() > SERVERS_MAX) {
            mistakes.add(file + " names " + servers.size() + " servers, allowed are " + SERVERS_MAX);
        }
        if (!mistakes.isEmpty()) {
            throw new SettingsException(mistakes);
        }
        long weights = servers.stream().mapToLong(Server::weight).sum();
        for (Server server : servers) {
            if (KetamaRing.hashes(server.weight(), weights, servers.size()) == 0) {
                remarks.add(file + ": " + server + " weighs " + server.weight() + " of " + weights
                        + " and owns no key; give it more, or leave it out");
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

    /** Never the rest, nor what stands before an @: the file may be another one, with secrets in it. */
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
            throw new IllegalArgumentException("a line is HOST:PORT<TAB>WEIGHT");
        }
        Server server = Server.of(words[0], weight(words[1]));
        if (!known.add(server.address().toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException(
                    "this server stands there already; give it one line and its whole weight");
        }
        servers.add(server);
        if (isCut || !line.endsWith(words[1])) {
            remarks.add(place + " ends " + (isCut ? "without a line break" : "in blanks") + ": read here as weight "
                    + words[1] + ", but the original drops the last digit there, and its ring is another");
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
