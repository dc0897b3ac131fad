package io.counters.collector.proxy;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.access.AllowedSenders;
import io.counters.collector.access.Certificate;
import io.counters.collector.access.Port;
import io.counters.collector.access.Token;
import io.counters.collector.common.Descriptors;
import io.counters.collector.common.FaultLog;
import io.counters.collector.http.Guard;
import io.counters.collector.http.HttpLimits;
import io.counters.collector.http.Listening;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.emit.EmitterSettings;
import io.counters.wire.EditDistance;
import io.counters.wire.NameReader;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The settings in statsite-proxy's INI file.
 *
 * @param bind the address to listen on
 * @param tcpPort 0 for any free port, {@link #OFF} for none
 * @param udpPort the same
 * @param page where the page is, and whom it answers; empty if it is turned off
 * @param queueBytes memory for what waits for all servers, in bytes
 * @param senderBytes memory for incomplete messages of all senders, in bytes
 * @param senders which TCP senders there may be
 * @param namesBytes memory for the names by which our own commands are summed, in bytes
 * @param dropTags keys of tags that the collectors leave out of StatsD counters
 * @param sums how the sums of our own commands are sent: signed, if there is a key; its collectors are not used
 * @param servers the file with the servers
 * @param list the servers in that file
 * @param logLevel in slf4j-simple's words
 * @param pidFile where to write the process ID, if anywhere
 * @param remarks oddities that are not errors, for the log
 */
public record ProxyIni(
        InetAddress bind,
        int tcpPort,
        int udpPort,
        Optional<Listening> page,
        long queueBytes,
        long senderBytes,
        SenderLimits senders,
        long namesBytes,
        List<String> dropTags,
        EmitterSettings sums,
        Path servers,
        List<Server> list,
        String logLevel,
        Optional<Path> pidFile,
        List<String> remarks) {
    /** Instead of a port: turned off. */
    static final int OFF = -1;

    /**
     * Whose messages are taken.
     *
     * @param connections the maximum number of TCP connections
     * @param idle how long one of them may be silent
     * @param allowed of each port; everyone where there is none
     */
    record SenderLimits(int connections, Duration idle, Map<Port, AllowedSenders> allowed) {
        /** The defaults. */
        static final SenderLimits DEFAULT = new SenderLimits(10_000, Duration.ofHours(24), Map.of());

        SenderLimits {
            allowed = Map.copyOf(allowed);
        }

        AllowedSenders allowed(Port port) {
            return allowed.getOrDefault(port, AllowedSenders.ALL);
        }
    }

    public ProxyIni {
        dropTags = List.copyOf(dropTags);
        list = List.copyOf(list);
        remarks = List.copyOf(remarks);
    }

    /**
     * Reads the INI file, and the servers' file that it names.
     *
     * @param heapBytes this JVM's maximum heap, for settings that are shares of it
     * @throws SettingsException with all errors in both files
     */
    public static ProxyIni read(Path file, long heapBytes) throws SettingsException {
        return new Reader(file, heapBytes).read();
    }

    /** The reason why the queues have no room for this many servers, if so. */
    Optional<String> noRoom(int count) {
        return noRoom(queueBytes, count);
    }

    private static Optional<String> noRoom(long queueBytes, int count) {
        long needed = (long) QueueRoom.QUEUE_BYTES_MIN * count;
        return needed <= queueBytes
                ? Optional.empty()
                : Optional.of("queue_bytes is " + queueBytes + ", but " + count + " servers need at least " + needed
                        + ", " + QueueRoom.QUEUE_BYTES_MIN + " each. Raise queue_bytes or -Xmx, and restart the proxy");
    }

    /**
     * Parses keys of tags, separated by commas.
     *
     * @throws IllegalArgumentException with the rule
     */
    static List<String> dropTags(String text) {
        List<String> keys = text.isEmpty()
                ? List.of()
                : Arrays.stream(text.split(",", -1)).map(String::strip).toList();
        if (keys.stream().anyMatch(key -> key.isEmpty() || !key.chars().allMatch(c -> NameReader.isLetter((byte) c)))) {
            throw new IllegalArgumentException(
                    "allowed are keys of tags, separated by commas, as in the collectors' --drop-tags");
        }
        return keys;
    }

    /** The keys, with their defaults. */
    private enum Key {
        PORT("8150"),
        TCP_PORT("8150"),
        UDP_PORT("8150"),
        BIND_ADDRESS("0.0.0.0"),
        SERVERS("config/servers.conf"),
        LOG_LEVEL("DEBUG"),
        LOG_FACILITY(""),
        DAEMONIZE("0"),
        PID_FILE(""),
        HTTP_PORT("8151"),
        HTTP_BIND_ADDRESS("127.0.0.1"),
        HTTP_NAMES(""),
        TOKEN_FILE(""),
        TLS_CERTIFICATE(""),
        TLS_KEY(""),
        TLS_CLIENT_CA(""),
        ALLOW(""),
        CONNECTIONS("10000"),
        TCP_IDLE("24h"),
        QUEUE_BYTES("40%"),
        SENDER_BYTES("10%"),
        NAMES_BYTES("20%"),
        DROP_TAGS(""),
        KEY("");

        final String unlessSaid;

        Key(String unlessSaid) {
            this.unlessSaid = unlessSaid;
        }

        String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Parses the file. Later lines take precedence over earlier ones, as in statsite-proxy, and [statsite-proxy] over
     * [statsite].
     */
    private static final class Reader {
        private static final String OWN = "statsite-proxy";
        private static final String SHARED = "statsite";
        private static final long BYTES_MIN = 1 << 20;
        private static final Pattern BYTES = Pattern.compile("([0-9]{1,12})([kmg%]?)", Pattern.CASE_INSENSITIVE);
        private static final int PERCENT_OF_HEAP_MAX = 80;
        private static final Map<String, String> LEVELS =
                Map.of("DEBUG", "debug", "INFO", "info", "WARN", "warn", "ERROR", "error", "CRITICAL", "error");

        private static final Set<Key> FILES_OF_SECRETS = EnumSet.of(Key.TOKEN_FILE, Key.TLS_KEY);
        private static final Pattern NAME_END = Pattern.compile("[\\s=:]");

        private record Given(String text, String place, boolean isOwn) {}

        private final Path file;
        private final long heapBytes;
        private final Map<Key, Given> given = new EnumMap<>(Key.class);
        private final List<String> mistakes = new ArrayList<>();
        private final List<String> remarks = new ArrayList<>();

        Reader(Path file, long heapBytes) {
            this.file = file;
            this.heapBytes = heapBytes;
        }

        ProxyIni read() throws SettingsException {
            try {
                lines(ServersFile.text(file).lines().toList());
            } catch (NoSuchFileException missing) {
                throw new SettingsException(
                        List.of(file + " does not exist; give statsite-proxy's INI file as -f FILE"));
            } catch (IOException unreadable) {
                throw new SettingsException(List.of(file + " cannot be read: " + unreadable.getMessage()));
            }
            InetAddress bind = get(Key.BIND_ADDRESS, AccessSettings::address);
            boolean isShort = given.containsKey(Key.PORT) && !isOver(Key.TCP_PORT, Key.PORT);
            int tcp = get(isShort ? Key.PORT : Key.TCP_PORT, Reader::port);
            int udp = get(Key.UDP_PORT, Reader::port);
            Optional<Listening> page = page(get(Key.HTTP_PORT, Reader::port));
            SenderLimits senders = new SenderLimits(
                    get(Key.CONNECTIONS, text -> Settings.wholeNumber(text, 1, 1_000_000)),
                    get(Key.TCP_IDLE, Settings::minutes),
                    get(Key.ALLOW, text -> AccessSettings.allowed(text, EnumSet.of(Port.UDP, Port.TCP))));
            if (tcp == OFF && udp == OFF) {
                mistakes.add(
                        file + ": port and udp_port are both 0, so the proxy would receive nothing; set one of them");
            }
            long queue = get(Key.QUEUE_BYTES, this::bytes);
            long sender = get(Key.SENDER_BYTES, this::bytes);
            long names = get(Key.NAMES_BYTES, this::bytes);
            long most = heapBytes / 100 * PERCENT_OF_HEAP_MAX;
            if (queue > most || sender > most || names > most || queue + sender + names > most) {
                mistakes.add(file + ": queue_bytes, sender_bytes and names_bytes are " + queue + ", " + sender + " and "
                        + names + "; together they may be at most " + PERCENT_OF_HEAP_MAX + " % of the heap, which is "
                        + heapBytes + ". Lower them, or raise -Xmx");
            }
            List<String> dropTags = get(Key.DROP_TAGS, ProxyIni::dropTags);
            EmitterSettings sums = given.containsKey(Key.KEY) ? signed() : SignedSums.UNSIGNED;
            String level = get(Key.LOG_LEVEL, Reader::level);
            get(Key.DAEMONIZE, Reader::daemonize);
            Path pid = get(Key.PID_FILE, Path::of);
            if (given.containsKey(Key.LOG_FACILITY)) {
                remarks.add(given.get(Key.LOG_FACILITY).place
                        + " is ignored: the log goes to stderr; use systemd or logger -p to send it to syslog");
            }
            Path servers = get(Key.SERVERS, Path::of);
            List<Server> list = List.of();
            try {
                ServersFile.Read read = ServersFile.read(servers);
                list = read.servers();
                remarks.addAll(read.remarks());
            } catch (SettingsException wrong) {
                mistakes.addAll(wrong.mistakes());
            }
            SignedSums.remark(sums, list).ifPresent(remark -> remarks.add(file + ": " + remark));
            noRoom(queue, list.size()).ifPresent(why -> mistakes.add(file + ": " + why));
            if (!mistakes.isEmpty()) {
                throw new SettingsException(mistakes);
            }
            Optional<Path> written = pid.toString().isEmpty() ? Optional.empty() : Optional.of(pid);
            return new ProxyIni(
                    bind, tcp, udp, page, queue, sender, senders, names, dropTags, sums, servers, list, level, written,
                    remarks);
        }

        /** Unlike the text of any other setting, that of the key is not shown: it may be the key itself. */
        private EmitterSettings signed() {
            Given key = Objects.requireNonNull(given.get(Key.KEY));
            try {
                return SignedSums.UNSIGNED.key(key.text);
            } catch (IllegalArgumentException broken) {
                mistakes.add(key.place + ": " + broken.getMessage());
                return SignedSums.UNSIGNED;
            }
        }

        private Optional<Listening> page(int port) {
            Optional<Token> token = get(Key.TOKEN_FILE, Reader::token);
            Optional<Certificate> certificate = certificate();
            Set<String> hosts = get(Key.HTTP_NAMES, Guard::names);
            InetAddress bind = get(Key.HTTP_BIND_ADDRESS, AccessSettings::address);
            boolean isClosed = token.isPresent()
                    || certificate.filter(Certificate::identifiesClients).isPresent();
            if (!bind.isLoopbackAddress() && !isClosed) {
                mistakes.add(file + ": http_bind_address is " + bind.getHostAddress()
                        + ", which other machines can reach, and anyone there could use the page; set token_file, or"
                        + " tls_client_ca, or keep 127.0.0.1");
            }
            if (!bind.isLoopbackAddress() && token.isPresent() && certificate.isEmpty()) {
                remarks.add(file + ": http_bind_address is " + bind.getHostAddress() + ", " + AccessSettings.IN_CLEAR);
            }
            for (Key secret : FILES_OF_SECRETS) {
                Given said = given.get(secret);
                String path = said == null ? "" : said.text;
                AccessSettings.readers(path)
                        .ifPresent(why -> remarks.add(file + ": " + secret.key() + " is " + path + ", " + why));
            }
            return port == OFF
                    ? Optional.empty()
                    : Optional.of(Listening.page(
                            bind,
                            port,
                            "if another proxy uses it, stop it, or set another http_port, or 0 to turn the page off",
                            HttpLimits.PAGE.within(heapBytes, Descriptors.limit(), certificate.isPresent()),
                            new Guard(hosts, token, certificate, Optional.empty())));
        }

        private static Optional<Token> token(String file) {
            return file.isEmpty() ? Optional.empty() : Optional.of(Token.of(Settings.secretIn(file)));
        }

        private Optional<Certificate> certificate() {
            String chain = get(Key.TLS_CERTIFICATE, path -> path);
            String key = get(Key.TLS_KEY, path -> path);
            String clientCa = get(Key.TLS_CLIENT_CA, path -> path);
            try {
                return AccessSettings.certificate(chain, key, clientCa);
            } catch (IllegalArgumentException unusable) {
                String shown = FaultLog.shown(Settings.shown(chain));
                mistakes.add(file + ": tls_certificate is " + shown + ", " + unusable.getMessage());
                return Optional.empty();
            }
        }

        private void lines(List<String> lines) {
            String section = "";
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i).strip();
                if (i == 0 && line.startsWith("\uFEFF")) {
                    line = line.substring(1).strip();
                }
                String place = file + " line " + (i + 1);
                int end = line.indexOf(']');
                if (line.isEmpty() || line.startsWith(";") || line.startsWith("#")) {
                    continue;
                }
                if (line.startsWith("[") && end > 0) {
                    section = line.substring(1, end).strip().toLowerCase(Locale.ROOT);
                    if (!section.equals(OWN) && !section.equals(SHARED)) {
                        remarks.add(place + ": section [" + name(section) + "] is ignored; the proxy reads [" + OWN
                                + "] and [" + SHARED + "]");
                    }
                } else if (section.isEmpty()) {
                    mistakes.add(place + " begins with \"" + name(line)
                            + "\" and is in no section; begin the file with [" + OWN + "]");
                } else if (section.equals(OWN) || section.equals(SHARED)) {
                    setting(place, line, section.equals(OWN));
                }
            }
        }

        private void setting(String place, String line, boolean isOwn) {
            int comment = line.indexOf(" ;");
            String said = comment < 0 ? line : line.substring(0, comment);
            int equals = said.indexOf('=');
            int parting = equals < 0 ? said.indexOf(':') : equals;
            if (parting < 0) {
                mistakes.add(place + " is not a setting; write KEY = VALUE, or begin a comment with ;");
                return;
            }
            String name = said.substring(0, parting).strip();
            for (Key key : Key.values()) {
                if (key.key().equalsIgnoreCase(name)) {
                    Given before = given.get(key);
                    if (before == null || isOwn || !before.isOwn) {
                        String text = said.substring(parting + 1).strip();
                        given.put(key, new Given(text, place + ": " + key.key(), isOwn));
                    }
                    return;
                }
            }
            List<String> keys = Arrays.stream(Key.values()).map(Key::key).toList();
            remarks.add(place + ": " + name(name)
                    + " is not a setting of the proxy and is ignored; the most similar one is "
                    + EditDistance.nearest(name, keys));
        }

        private boolean isOver(Key one, Key other) {
            Given first = given.get(one);
            Given second = given.get(other);
            return first != null && (second == null || first.isOwn || !second.isOwn);
        }

        private <T> T get(Key key, Settings.Reading<T> reading) {
            Given said = given.get(key);
            if (said != null && said.text.isEmpty()) {
                mistakes.add(said.place + " is empty; give a value, or remove the line to use the default, "
                        + (key.unlessSaid.isEmpty() ? "none" : key.unlessSaid));
            } else if (said != null) {
                try {
                    return reading.of(said.text);
                } catch (IllegalArgumentException broken) {
                    String shown = FILES_OF_SECRETS.contains(key) ? Settings.shownFile(said.text) : said.text;
                    mistakes.add(said.place + " is " + FaultLog.shown(shown) + ", " + broken.getMessage());
                }
            }
            return reading.of(key.unlessSaid);
        }

        /** The beginning of a line that is not a known setting; never the rest, which may be a secret. */
        private static String name(String line) {
            return FaultLog.shown(NAME_END.split(line.strip(), 2)[0]);
        }

        private long bytes(String text) {
            Matcher parts = BYTES.matcher(text);
            if (parts.matches()) {
                long number = Long.parseLong(parts.group(1));
                long bytes = switch (parts.group(2).toLowerCase(Locale.ROOT)) {
                    case "k" -> number << 10;
                    case "m" -> number << 20;
                    case "g" -> Math.min(number, 1L << 32) << 30;
                    case "%" -> number <= 100 ? Math.max(heapBytes / 100 * number, BYTES_MIN) : 0;
                    default -> number;
                };
                if (bytes >= BYTES_MIN) {
                    return bytes;
                }
            }
            throw new IllegalArgumentException(
                    "allowed are bytes from " + BYTES_MIN + ", also 64m or 1g, and shares of the heap, such as 40%");
        }

        private static int port(String text) {
            int port = Settings.wholeNumber(text, 0, 65_535);
            return port == 0 ? OFF : port;
        }

        private static String level(String text) {
            String level = LEVELS.get(text.toUpperCase(Locale.ROOT));
            if (level == null) {
                throw new IllegalArgumentException("allowed are DEBUG, INFO, WARN, ERROR and CRITICAL");
            }
            return level;
        }

        private static boolean daemonize(String text) {
            switch (text.toLowerCase(Locale.ROOT)) {
                case "0", "no", "false" -> {
                    return false;
                }
                case "1", "yes", "true" ->
                    throw new IllegalArgumentException(
                            "allowed is 0, because a JVM cannot detach from its terminal; run the proxy under systemd,"
                                    + " or with nohup and &");
                default -> throw new IllegalArgumentException("allowed are 0, no and false");
            }
        }
    }
}
