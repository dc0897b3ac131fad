package io.counters.emit;

import io.counters.ring.KetamaRing;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One collector as written in the settings: {@code HOST[:PORT][*WEIGHT]}, IPv6 addresses in brackets. Immutable. */
public final class CollectorAddress {
    static final int WEIGHT_MAX = 1_000_000;

    final String host;
    final int port;
    final int weight;

    private CollectorAddress(String host, int port, int weight) {
        this.host = host;
        this.port = port;
        this.weight = weight;
    }

    /**
     * Reads one entry of a list.
     *
     * @throws IllegalArgumentException with the value and the rule, if it does not have that form
     */
    public static CollectorAddress read(String written) {
        String text = written.trim();
        int weight = 1;
        int star = text.indexOf('*');
        if (star >= 0) {
            weight = number(text.substring(star + 1).trim(), WEIGHT_MAX);
            if (weight < 1) {
                throw new IllegalArgumentException(
                        "the weight of \"" + text + "\" is not a number from 1 to " + WEIGHT_MAX);
            }
            text = text.substring(0, star).trim();
        }
        return of(text, EmitterSettings.PORT_DEFAULT, weight);
    }

    /**
     * Reads any server, as {@code HOST[:PORT]} with IPv6 addresses in brackets.
     *
     * @param portDefault of a text without a port; 0 if there must be one
     * @throws IllegalArgumentException with the value and the rule, if it does not have that form
     */
    public static CollectorAddress server(String written, int portDefault) {
        String text = written.trim();
        boolean isBare = !text.startsWith("[") && text.indexOf(':') != text.lastIndexOf(':');
        return of(text, isBare ? 0 : portDefault, 1);
    }

    private static CollectorAddress of(String text, int portDefault, int weight) {
        int bracket = text.lastIndexOf(']');
        int colon = text.lastIndexOf(':');
        boolean hasPort = colon > bracket && (bracket >= 0 || text.indexOf(':') == colon);
        String host = hasPort ? text.substring(0, colon) : text;
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = hasPort ? number(text.substring(colon + 1), 65_535) : portDefault;
        if (port < 1 || !isHost(host)) {
            throw new IllegalArgumentException("\"" + text + "\" is not HOST:PORT with a port from 1 to 65535");
        }
        return new CollectorAddress(host, port, weight);
    }

    /**
     * The errors of a list of servers that share one ring: an address that appears twice, or a weight so small that the
     * server would own no name.
     */
    static List<String> mistakes(List<CollectorAddress> ring) {
        List<String> mistakes = new ArrayList<>();
        Set<String> known = new HashSet<>();
        long weights = 0;
        for (CollectorAddress address : ring) {
            weights += address.weight;
            if (!known.add(address.toString().toLowerCase(Locale.ROOT))) {
                mistakes.add("\"" + address.weighted() + "\" appears twice");
            }
        }
        for (CollectorAddress address : ring) {
            if (mistakes.isEmpty() && ring.size() > 1 && KetamaRing.hashes(address.weight, weights, ring.size()) == 0) {
                mistakes.add("\"" + address + "\" has a weight of " + address.weight + " of " + weights
                        + ", so it would own no name");
            }
        }
        return mistakes;
    }

    /**
     * The ring by which senders determine the owner of a name; it numbers the servers as in the list.
     */
    static KetamaRing ring(List<CollectorAddress> collectors) {
        List<String> names = new ArrayList<>();
        long[] weights = new long[collectors.size()];
        for (CollectorAddress collector : collectors) {
            weights[names.size()] = collector.weight;
            names.add(collector.toString());
        }
        return new KetamaRing(names, weights);
    }

    /** The number, if it consists of digits and is at most {@code max}; otherwise -1. */
    private static int number(String digits, int max) {
        int number = digits.isEmpty() ? -1 : 0;
        for (int i = 0; i < digits.length() && number >= 0; i++) {
            char c = digits.charAt(i);
            number = c >= '0' && c <= '9' ? 10 * number + c - '0' : -1;
            number = number > max ? -1 : number;
        }
        return number;
    }

    /**
     * Whether this is a name, an IPv4 address, or an IPv6 address with or without a zone. Written by hand, without a
     * regular expression, because it runs before the application.
     */
    private static boolean isHost(String host) {
        int zone = host.indexOf('%');
        String rest = zone < 0 ? host : host.substring(0, zone);
        boolean v6 = rest.indexOf(':') >= 0;
        boolean good = !rest.isEmpty() && rest.charAt(0) != (v6 ? '.' : ':');
        for (int i = 0; i < rest.length(); i++) {
            char c = rest.charAt(i);
            good &= v6 ? (c < 128 && Character.digit(c, 16) >= 0) || c == ':' || c == '.' : isOfName(c);
        }
        for (int i = zone + 1; zone >= 0 && i < host.length(); i++) {
            good &= isOfName(host.charAt(i));
        }
        return good && (zone < 0 || (v6 && zone + 1 < host.length()));
    }

    private static boolean isOfName(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '.'
                || c == '_'
                || c == '-';
    }

    /** The address if the host is written as one, so that no name server is needed; null for a name. */
    public @Nullable InetAddress literal() {
        try {
            // The JDK parses such a text as an address or refuses it, without a look-up.
            return host.indexOf(':') >= 0 || isV4() ? InetAddress.getByName(host) : null;
        } catch (UnknownHostException | RuntimeException misshapen) {
            return null;
        }
    }

    private boolean isV4() {
        int parts = 0;
        for (String part : host.split("\\.", -1)) {
            parts += number(part, 255) >= 0 ? 1 : 5;
        }
        return parts == 4;
    }

    /** The name or address to look up or connect to, without brackets. */
    public String host() {
        return host;
    }

    /** The port, 1 to 65,535. */
    public int port() {
        return port;
    }

    /** The weight on the ring, relative to the others' weights; at least 1. */
    public int weight() {
        return weight;
    }

    /** The form of a list: {@code host:port*weight}, without the weight if it is 1. */
    String weighted() {
        return weight == 1 ? toString() : this + "*" + weight;
    }

    /** The form on the ring: {@code host:port}, always with the port and never with the weight. */
    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
