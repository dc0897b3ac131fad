package io.counters.collector.proxy;

import io.counters.emit.EmitterSettings;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** How the sums of our own commands are sent: signed, if there is a key. The collectors in these settings are not used. */
final class SignedSums {
    static final EmitterSettings UNSIGNED = EmitterSettings.to("nowhere");

    private SignedSums() {}

    /** Which of these servers get nothing that is signed, if any does; for the log. */
    static Optional<String> remark(EmitterSettings sums, List<Server> servers) {
        String overTcp = servers.stream()
                .filter(server -> sums.isSigned() && server.scheme() != Server.Scheme.UDP)
                .map(Server::toString)
                .collect(Collectors.joining(", "));
        return overTcp.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "key is set, but on TCP nothing can be signed, and collectors that require signatures refuse"
                                + " it; for these, write udp:// before the address: " + overTcp);
    }
}
