package io.counters.collector.access;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The settings that keep strangers out.
 *
 * @param token what requests by HTTP need; empty if they need none
 * @param certificate empty if no port speaks TLS
 * @param tlsPorts the ports that speak TLS if there is a certificate
 * @param allowed of each port; one that is missing takes counts from everyone
 */
public record AccessSettings(
        Optional<Token> token,
        Optional<Certificate> certificate,
        Set<Port> tlsPorts,
        Map<Port, AllowedSenders> allowed) {
    private static final Set<Port> COUNTING = EnumSet.of(Port.UDP, Port.TCP, Port.OTLP);
    private static final Set<Port> WITH_TLS = EnumSet.of(Port.TCP, Port.HTTP, Port.OTLP);
    private static final int RANGES_MAX = 1000;
    private static final String NO_RANGE =
            "which has no address, so everyone's counts would be taken; give one, such as 10.0.0.0/8, or leave it out";

    /** A warning for a port with a token that other machines reach without TLS. */
    public static final String IN_CLEAR =
            "so the token crosses the network in clear; give tls_certificate and tls_key, or let"
                    + " a reverse proxy on this machine speak TLS and keep the port on loopback";

    /** Neither a token nor TLS, and everyone's counts. */
    public static final AccessSettings NONE =
            new AccessSettings(Optional.empty(), Optional.empty(), Set.of(), Map.of());

    public AccessSettings {
        tlsPorts = Set.copyOf(tlsPorts);
        allowed = Map.copyOf(allowed);
    }

    public static AccessSettings from(Settings settings) {
        for (CollectorFlag secret : Settings.FILES_OF_SECRETS) {
            // Of the keys there is a stricter warning.
            if (secret != CollectorFlag.KEYS) {
                warnOfReaders(settings, secret);
            }
        }
        if (settings.isSecretInFile()) {
            warnOfReaders(settings, CollectorFlag.CONFIG);
        }
        return new AccessSettings(
                token(settings),
                certificate(settings),
                settings.get(CollectorFlag.TLS_PORTS, AccessSettings::tlsPorts),
                settings.get(CollectorFlag.ALLOW, AccessSettings::allowed));
    }

    private static void warnOfReaders(Settings settings, CollectorFlag file) {
        readers(settings.get(file, path -> path)).ifPresent(why -> settings.remark(file, why));
    }

    private static Optional<Token> token(Settings settings) {
        String text = settings.secret(CollectorFlag.TOKEN, CollectorFlag.TOKEN_FILE);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Token.of(text));
        } catch (IllegalArgumentException broken) {
            boolean isInFile = settings.get(CollectorFlag.TOKEN, given -> given).isEmpty();
            settings.refuse(isInFile ? CollectorFlag.TOKEN_FILE : CollectorFlag.TOKEN, "" + broken.getMessage());
            return Optional.empty();
        }
    }

    private static Optional<Certificate> certificate(Settings settings) {
        String chain = settings.get(CollectorFlag.TLS_CERTIFICATE, path -> path);
        String key = settings.get(CollectorFlag.TLS_KEY, path -> path);
        String clientCa = settings.get(CollectorFlag.TLS_CLIENT_CA, path -> path);
        if (chain.isEmpty() && key.isEmpty() && clientCa.isEmpty() && settings.isGiven(CollectorFlag.TLS_PORTS)) {
            settings.refuse(
                    CollectorFlag.TLS_PORTS,
                    "but no port can speak TLS without tls_certificate and tls_key; give both, or leave tls_ports out");
        }
        try {
            return certificate(chain, key, clientCa);
        } catch (IllegalArgumentException unusable) {
            settings.refuse(CollectorFlag.TLS_CERTIFICATE, "" + unusable.getMessage());
            return Optional.empty();
        }
    }

    /**
     * The certificate in these files, as in {@link Certificate#of}; empty if no file is given.
     *
     * @throws IllegalArgumentException also if one is missing
     */
    public static Optional<Certificate> certificate(String chain, String key, String clientCa) {
        if (chain.isEmpty() && key.isEmpty() && clientCa.isEmpty()) {
            return Optional.empty();
        }
        if (chain.isEmpty() || key.isEmpty()) {
            throw new IllegalArgumentException(
                    "but tls_certificate and tls_key belong together, and tls_client_ca needs them; give both, or none");
        }
        return Optional.of(Certificate.of(chain, key, clientCa));
    }

    private static Set<Port> tlsPorts(String text) {
        Set<Port> ports = EnumSet.noneOf(Port.class);
        if (words(text).isEmpty()) {
            throw new IllegalArgumentException(
                    "so no port would speak TLS; allowed are tcp, http and otlp," + " separated by commas");
        }
        for (String word : words(text)) {
            ports.add(WITH_TLS.stream()
                    .filter(port -> port.key().equals(word))
                    .findFirst()
                    .orElseThrow(
                            () -> new IllegalArgumentException("allowed are tcp, http and otlp, separated by commas")));
        }
        return ports;
    }

    /** Reads the ranges of each port of a collector that takes counts. */
    public static Map<Port, AllowedSenders> allowed(String text) {
        return allowed(text, COUNTING);
    }

    /**
     * Reads the ranges of each port.
     *
     * @param text ranges, separated by commas; {@code udp:}, for example, before one limits it to that port; empty for everyone
     * @param ports that there are
     * @throws IllegalArgumentException with the range that is wrong and the rule
     */
    public static Map<Port, AllowedSenders> allowed(String text, Set<Port> ports) {
        List<String> words = words(text);
        if (words.isEmpty() && !text.isEmpty()) {
            throw new IllegalArgumentException(NO_RANGE);
        }
        if (words.size() > RANGES_MAX) {
            throw new IllegalArgumentException("allowed are at most " + RANGES_MAX + " ranges");
        }
        Map<Port, AllowedSenders> allowed = new EnumMap<>(Port.class);
        for (Port port : ports) {
            String own = port.key() + ":";
            List<String> ranges = words.stream()
                    .filter(word -> word.startsWith(own)
                            || ports.stream().noneMatch(other -> word.startsWith(other.key() + ":")))
                    .map(word -> word.startsWith(own) ? word.substring(own.length()) : word)
                    .toList();
            AllowedSenders senders = AllowedSenders.of(ranges);
            if (!senders.isEveryone()) {
                allowed.put(port, senders);
            }
        }
        return allowed;
    }

    private static List<String> words(String text) {
        return Stream.of(text.split(",", -1))
                .map(word -> word.strip().toLowerCase(Locale.ROOT))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    /** The certificate of a port that speaks TLS. */
    public Optional<Certificate> certificate(Port port) {
        return tlsPorts.contains(port) ? certificate : Optional.empty();
    }

    /** Whose counts a port takes. */
    public AllowedSenders allowed(Port port) {
        return allowed.getOrDefault(port, AllowedSenders.ALL);
    }

    /** Whether a request by HTTP needs something that a stranger does not have. */
    public boolean isClosed(Port port) {
        return token.isPresent()
                || certificate(port).filter(Certificate::identifiesClients).isPresent();
    }

    /**
     * The address of a port for HTTP, which is refused if strangers on other machines could reach it.
     *
     * @param bind the setting with the address
     */
    public InetAddress bind(Settings settings, CollectorFlag bind, Port port) {
        InetAddress bound = settings.get(bind, text -> {
            InetAddress address = address(text);
            if (!address.isLoopbackAddress() && !isClosed(port)) {
                throw new IllegalArgumentException(
                        "which other machines can reach, and anyone there could use the port; set "
                                + CollectorFlag.TOKEN.variable()
                                + " or token_file, or client certificates (tls_client_ca with "
                                + port.key() + " in tls_ports), or keep " + bind.defaultText());
            }
            return address;
        });
        if (!bound.isLoopbackAddress() && token.isPresent() && certificate(port).isEmpty()) {
            settings.remark(bind, IN_CLEAR);
        }
        return bound;
    }

    /** A warning if every user of this machine can read a file with a secret; its name is empty if there is none. */
    public static Optional<String> readers(String file) {
        if (file.isEmpty()) {
            return Optional.empty();
        }
        try {
            Path path = Path.of(file);
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(path);
            return mode.contains(PosixFilePermission.OTHERS_READ) && isInOpenFolders(path.toRealPath())
                    ? Optional.of("which every user of this machine can read (" + PosixFilePermissions.toString(mode)
                            + "); run: chmod 600 " + file)
                    : Optional.empty();
        } catch (IOException | UnsupportedOperationException | InvalidPathException notPosix) {
            // A system without such modes; or the file is missing, which is a mistake of its own.
            return Optional.empty();
        }
    }

    private static boolean isInOpenFolders(Path file) throws IOException {
        for (Path folder = file.getParent(); folder != null; folder = folder.getParent()) {
            if (!Files.getPosixFilePermissions(folder).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                return false;
            }
        }
        return true;
    }

    /** Reads an address of this machine. */
    public static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException unknown) {
            throw new IllegalArgumentException(
                    "which is not an address of this machine; 0.0.0.0 listens on all of them", unknown);
        }
    }
}
