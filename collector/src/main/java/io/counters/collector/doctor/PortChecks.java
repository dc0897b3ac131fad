package io.counters.collector.doctor;

import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.counters.collector.access.AccessSettings;
import io.counters.collector.access.Certificate;
import io.counters.collector.access.Port;
import io.counters.collector.dashboard.DashboardSettings;
import io.counters.collector.intake.IntakeSettings;
import io.counters.collector.otlp.OtlpSettings;
import io.counters.collector.udp.UdpSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Checks the ports, and finds out whether a collector holds them. */
final class PortChecks {
    private static final String THOSE_FLAGS = "give the flags and the environment of that collector";
    private static final int NOT_RUNNING = -1;
    private static final int CLOSED = -2;
    private static final int UNAUTHORIZED = 401;

    private final HttpProbe http;
    private final Map<String, String> login;
    private final boolean hasTls;

    /** @param token of the collector; empty for none. It is sent to this machine only */
    PortChecks(AccessSettings access, String token) {
        Optional<Certificate> certificate = access.certificate(Port.HTTP);
        http = new HttpProbe(certificate.map(Certificate::client).orElse(null));
        hasTls = certificate.isPresent();
        login = token.isEmpty() ? Map.of() : Map.of("Authorization", "Bearer " + token);
    }

    /** Which running collector may hold a port: none, another one, or the one that these settings mean. */
    private enum Holder {
        NONE,
        OTHER,
        MEANT
    }

    /** The ports, and the collector that holds them, if one does. */
    List<Finding> findings(IntakeSettings taking, DashboardSettings showing, Optional<OtlpSettings> otlp) {
        List<Finding> findings = new ArrayList<>();
        String host = showing.bind().isAnyLocalAddress()
                ? "127.0.0.1"
                : showing.bind().getHostAddress();
        String address = (hasTls ? "https://" : "http://") + (host.contains(":") ? "[" + host + "]" : host) + ":"
                + showing.port();
        HttpResponse<String> ready = showing.port() == 0 ? null : http.ask(address + "/readyz");
        int itsUdpPort = ready == null ? NOT_RUNNING : itsUdpPort(address);
        boolean isClosed = itsUdpPort == CLOSED;
        boolean isRunning = itsUdpPort != NOT_RUNNING;
        boolean isMeant = isRunning && (isClosed || taking.udpPort() == 0 || taking.udpPort() == itsUdpPort);
        if (ready == null || !isRunning) {
            findings.add(Finding.ok("running collector", "none at " + address));
        } else if (isClosed) {
            findings.add(Finding.warning(
                    "running collector",
                    address + " does not let doctor in (401), and is "
                            + (ready.statusCode() == HttpProbe.OK ? "" : "not ") + "ready",
                    "set its token; if it takes client certificates only, give it a token, too"));
        } else if (ready.statusCode() != HttpProbe.OK) {
            findings.add(Finding.failure(
                    "running collector",
                    String.join("; ", ready.body().lines().toList()),
                    "see docs/operations.md, or its log"));
        } else {
            findings.add(
                    isMeant
                            ? Finding.ok("running collector", address + " is ready")
                            : Finding.warning(
                                    "running collector",
                                    address + " is ready, and receives on UDP port " + itsUdpPort,
                                    THOSE_FLAGS));
        }
        Holder holder = isMeant ? Holder.MEANT : isRunning ? Holder.OTHER : Holder.NONE;
        int tcpPort = taking.tcpPort() < 0 ? taking.udpPort() : taking.tcpPort();
        findings.add(port(
                "UDP port",
                taking.udpPort(),
                holder,
                "--udp-port",
                () -> new UdpSocket(new InetSocketAddress(taking.bind(), taking.udpPort()))));
        findings.add(port("TCP port", tcpPort, holder, "--tcp-port", () -> tcp(taking.bind(), tcpPort)));
        findings.add(port(
                "HTTP port",
                showing.port(),
                isRunning ? Holder.MEANT : Holder.NONE,
                "--http-port",
                () -> tcp(showing.bind(), showing.port())));
        otlp.ifPresent(settings -> findings.add(port(
                "OTLP port",
                settings.at().number(),
                holder,
                "--otlp-port",
                () -> tcp(settings.at().bind(), settings.at().number()))));
        return findings;
    }

    /** The port on which a running collector receives; {@link #CLOSED} if it does not tell us, {@link #NOT_RUNNING} if it is none. */
    private int itsUdpPort(String address) {
        HttpResponse<String> page = http.ask(address + "/api/page", login);
        if (page != null && page.statusCode() == UNAUTHORIZED) {
            return CLOSED;
        }
        if (page == null || page.statusCode() != HttpProbe.OK) {
            return NOT_RUNNING;
        }
        try {
            return JsonParser.parseString(page.body())
                    .getAsJsonObject()
                    .get("udpPort")
                    .getAsInt();
        } catch (JsonParseException
                | IllegalStateException
                | NumberFormatException
                | NullPointerException
                | UnsupportedOperationException other) {
            return NOT_RUNNING;
        }
    }

    /** Opens a port. */
    @FunctionalInterface
    private interface Opening {
        AutoCloseable open() throws IOException;
    }

    private static ServerSocket tcp(InetAddress host, int port) throws IOException {
        ServerSocket socket = new ServerSocket();
        try {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(host, port));
            return socket;
        } catch (IOException taken) {
            socket.close();
            throw taken;
        }
    }

    /** Tries to open a port. */
    private static Finding port(String what, int port, Holder holder, String flag, Opening opening) {
        if (port == 0) {
            return Finding.ok(what, "any free port");
        }
        try (AutoCloseable opened = opening.open()) {
            return holder != Holder.NONE && opened != null
                    ? Finding.warning(
                            what, port + " is free, although a collector answers on the HTTP port", THOSE_FLAGS)
                    : Finding.ok(what, port + " is free");
        } catch (IOException taken) {
            return holder == Holder.MEANT
                    ? Finding.ok(what, port + " is held by the running collector")
                    : Finding.failure(
                            what,
                            port + " cannot be opened: " + taken.getMessage(),
                            "stop the program that uses it (ss -lunpt | grep " + port + "), or give another " + flag);
        } catch (Exception notClosed) {
            return Finding.warning(what, port + " could not be closed: " + notClosed, "run doctor again");
        }
    }
}
