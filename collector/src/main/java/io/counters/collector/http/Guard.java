package io.counters.collector.http;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.access.Certificate;
import io.counters.collector.access.Gate;
import io.counters.collector.access.Port;
import io.counters.collector.access.Token;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Whom an {@link HttpPort} answers. If there is neither a token nor an authority for client certificates, it answers everyone,
 * and must be on loopback.
 *
 * @param names DNS names under which browsers reach the port, in lower case, beside localhost
 * @param token what a request without a client certificate needs
 * @param certificate of the port, if it speaks TLS
 * @param senders whose connections are accepted; empty for all
 */
public record Guard(
        Set<String> names, Optional<Token> token, Optional<Certificate> certificate, Optional<Gate> senders) {
    /** For a port on loopback that everyone on this machine may use. */
    public static final Guard NONE = new Guard(Set.of(), Optional.empty(), Optional.empty(), Optional.empty());

    private static final Pattern NAME = Pattern.compile("[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?");

    public Guard {
        names = Set.copyOf(names);
    }

    /**
     * As the settings say.
     *
     * @param port which port it is
     */
    public static Guard of(Settings settings, AccessSettings access, Port port) {
        return new Guard(
                settings.get(CollectorFlag.HTTP_NAMES, Guard::names),
                access.token(),
                access.certificate(port),
                Optional.empty());
    }

    /** Reads DNS names, separated by commas. */
    public static Set<String> names(String text) {
        Set<String> names = new HashSet<>();
        for (String word : text.split(",", -1)) {
            String name = word.strip().toLowerCase(Locale.ROOT);
            if (!name.isEmpty() && !NAME.matcher(name).matches()) {
                throw new IllegalArgumentException(
                        "of which \"" + name + "\" is not a DNS name; write names without scheme and port");
            }
            names.add(name);
        }
        names.remove("");
        return names;
    }

    Guard with(Gate gate) {
        return new Guard(names, token, certificate, Optional.of(gate));
    }

    boolean isTls() {
        return certificate.isPresent();
    }

    boolean admits(long address) {
        return senders.isEmpty() || senders.get().admits(address);
    }

    private boolean takesCertificates() {
        return certificate.isPresent() && certificate.get().identifiesClients();
    }

    /** Whether a request may be answered completely. */
    boolean trusts(HttpHeaders headers, Peer peer) {
        return (token.isEmpty() && !takesCertificates())
                || peer.isCertified()
                || (token.isPresent() && token.get().isIn(headers.get(HttpHeaderNames.AUTHORIZATION)));
    }

    /** The answer to a request that may not be answered. A browser asks for the token if it gets this. */
    RequestException stranger() {
        return token.isEmpty()
                ? new RequestException(
                        401, "this port needs a client certificate of an authority in tls_client_ca", Map.of())
                : new RequestException(
                        401,
                        "this port needs its token: send the header Authorization: Bearer TOKEN, or in a browser give it as the"
                                + " password of any user"
                                + (takesCertificates() ? "; or show a client certificate" : ""),
                        Map.of("WWW-Authenticate", "Basic realm=\"counters\", charset=\"UTF-8\""));
    }

    boolean isName(String host) {
        return names.contains(host.toLowerCase(Locale.ROOT));
    }
}
