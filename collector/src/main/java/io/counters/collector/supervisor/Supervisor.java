package io.counters.collector.supervisor;

import io.counters.collector.common.FaultLog;
import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What systemd gives this process and wants to know of it, by the protocols of sd_notify(3) and sd_listen_fds(3).
 *
 * <p>A message is one datagram with lines such as {@code READY=1}, to the socket in {@code NOTIFY_SOCKET}. If systemd does not
 * read them at the moment, they are kept, and sent with the next one. For any thread.
 */
public final class Supervisor implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Supervisor.class);

    private static final long TELL_MILLIS_MAX = 1000;
    private static final long TELL_MILLIS_MIN = 10;

    private final @Nullable NotifySocket notify;
    private final @Nullable DatagramChannel socket;
    private final long watchdogMillis;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private String told = "";

    /** What is not told yet, by the names of the variables; of each only the last value matters. */
    private final Map<String, String> untold = new LinkedHashMap<>();

    private boolean stopping;

    private Supervisor(
            @Nullable NotifySocket notify,
            @Nullable DatagramChannel socket,
            long watchdogMillis,
            LongSupplier nanoClock) {
        this.notify = notify;
        this.socket = socket;
        this.watchdogMillis = watchdogMillis;
        this.nanoClock = nanoClock;
        faults = new FaultLog(log, nanoClock);
    }

    /** Of a process that nobody supervises: takes and tells nothing. */
    public static Supervisor none() {
        return new Supervisor(null, null, 0, () -> 0);
    }

    /**
     * Reads what systemd has given. What cannot be used is logged, and the process works without it.
     *
     * @param environment the process' variables
     * @param standardInput a socket that this process has as its standard input; null if that is anything else
     * @param pid of this process
     * @param nanoClock the system's monotonic clock
     */
    public static Supervisor of(
            Map<String, String> environment, @Nullable Channel standardInput, long pid, LongSupplier nanoClock) {
        if (!environment.getOrDefault("LISTEN_FDS", "0").equals("0") && isMeant(environment.get("LISTEN_PID"), pid)) {
            log.warn(
                    "systemd passed sockets as file descriptors from 3 on (LISTEN_FDS={}), which Java cannot use; give the"
                            + " .socket unit one ListenDatagram= and nothing else, and set StandardInput=socket in the service",
                    environment.get("LISTEN_FDS"));
        }
        return new Supervisor(
                notify(environment.getOrDefault("NOTIFY_SOCKET", "")),
                datagrams(standardInput),
                isMeant(environment.get("WATCHDOG_PID"), pid) ? watchdogMillis(environment.get("WATCHDOG_USEC")) : 0,
                nanoClock);
    }

    /** Variables that another process was given are inherited, too. */
    private static boolean isMeant(@Nullable String variable, long pid) {
        return variable == null || variable.equals(Long.toString(pid));
    }

    private static long watchdogMillis(@Nullable String micros) {
        try {
            return micros == null ? 0 : Math.max(0, TimeUnit.MICROSECONDS.toMillis(Long.parseLong(micros)));
        } catch (NumberFormatException noNumber) {
            log.warn("WATCHDOG_USEC is {}, which is not a number of microseconds; the watchdog is not used", micros);
            return 0;
        }
    }

    private static @Nullable NotifySocket notify(String address) {
        if (address.isEmpty()) {
            return null;
        }
        if (!NotifySocket.isAvailable()) {
            log.warn(
                    "systemd cannot be told that this process is ready, because Netty's native library cannot be loaded"
                            + " here ({}); it exists for Linux on x86_64 and aarch64, with glibc, and is unpacked into"
                            + " java.io.tmpdir, which must not be mounted noexec. Otherwise set Type=exec and WatchdogSec=0"
                            + " in the service, or systemd ends this process",
                    NotifySocket.unavailability());
            return null;
        }
        try {
            return new NotifySocket(address);
        } catch (IOException | RuntimeException cannot) {
            log.warn(
                    "systemd cannot be told that this process is ready, because NOTIFY_SOCKET is {}, where nothing"
                            + " listens that this process can reach: {}",
                    FaultLog.shown(address),
                    cannot.toString());
            return null;
        }
    }

    private static @Nullable DatagramChannel datagrams(@Nullable Channel standardInput) {
        if (standardInput instanceof ServerSocketChannel) {
            log.warn(
                    "standard input is a TCP socket, which is not used; give the .socket unit ListenDatagram= instead of"
                            + " ListenStream=");
        }
        if (!(standardInput instanceof DatagramChannel channel)) {
            return null;
        }
        try {
            // Another one is not for receiving from everybody.
            return channel.getLocalAddress() != null && channel.getRemoteAddress() == null ? channel : null;
        } catch (IOException unusable) {
            log.warn("standard input is a socket that is not used: {}", unusable.toString());
            return null;
        }
    }

    /** The UDP socket that systemd holds open over restarts; empty if there is none. */
    public Optional<DatagramChannel> socket() {
        return Optional.ofNullable(socket);
    }

    /** Whether somebody listens to what this process tells. */
    public boolean isThere() {
        return notify != null;
    }

    /** Tells that the process does its work. Also ends {@link #reloading}. */
    public synchronized void ready(String status) {
        if (stopping) {
            return;
        }
        untold.put("READY", "1");
        setStatus(status);
        send();
    }

    /** Tells that the process reads its settings again. */
    public synchronized void reloading() {
        if (stopping) {
            return;
        }
        untold.put("RELOADING", "1");
        untold.put("MONOTONIC_USEC", Long.toString(TimeUnit.NANOSECONDS.toMicros(nanoClock.getAsLong())));
        send();
    }

    /** Tells that the process ends. */
    public synchronized void stopping() {
        stopping = true;
        untold.put("STOPPING", "1");
        setStatus("ends: writes what it has received");
        send();
    }

    /**
     * Tells how the process does. A loop calls this.
     *
     * @param hangs what hangs in this process so that a restart would help, a line each. While there is any, the watchdog is
     *     not told that the process lives, so that systemd restarts it when this lasts
     * @param status one line for people
     * @return the milliseconds until the next call
     */
    public synchronized long tell(List<String> hangs, String status) {
        if (stopping) {
            return TELL_MILLIS_MAX;
        }
        if (watchdogMillis > 0) {
            if (hangs.isEmpty()) {
                untold.put("WATCHDOG", "1");
            } else {
                faults.warn(
                        "watchdog",
                        "systemd's watchdog restarts this process if this lasts for " + watchdogMillis + " ms: "
                                + String.join("; ", hangs));
            }
        }
        setStatus(status);
        send();
        return watchdogMillis == 0
                ? TELL_MILLIS_MAX
                : Math.max(TELL_MILLIS_MIN, Math.min(TELL_MILLIS_MAX, watchdogMillis / 2));
    }

    private void setStatus(String status) {
        String line = FaultLog.shown(status);
        if (!line.equals(told)) {
            told = line;
            untold.put("STATUS", line);
        }
    }

    private void send() {
        if (notify == null || untold.isEmpty()) {
            return;
        }
        StringBuilder message = new StringBuilder();
        untold.forEach((variable, value) ->
                message.append(variable).append('=').append(value).append('\n'));
        try {
            if (notify.send(message.toString())) {
                untold.clear();
            }
        } catch (IOException failure) {
            faults.warn("notify", "systemd could not be told how this process does: " + failure);
        }
    }

    @Override
    public synchronized void close() throws IOException {
        stopping = true;
        if (notify != null) {
            notify.close();
        }
    }
}
