package io.counters.collector.proxy;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.settings.SettingsException;
import io.counters.emit.EmitterSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches servers.conf for changes. A list with errors, or one that the proxy has no room for, is logged and not used. A
 * changed list is used only after two readings have found the same servers, because the file may be only partly written at
 * the first. For any thread.
 */
public final class ServersReloader {
    private static final Logger log = LoggerFactory.getLogger(ServersReloader.class);

    private final Path file;
    private final EmitterSettings sums;
    private final Forwarder forwarder;
    private final FaultLog faults;
    private final LongAdder badLists;
    private List<Server> taken;
    private List<Server> seen;

    public ServersReloader(ProxyIni settings, Forwarder forwarder, FaultLog faults, Metrics metrics) {
        this.file = settings.servers();
        sums = settings.sums();
        this.forwarder = forwarder;
        this.faults = faults;
        badLists = metrics.count("proxy_bad_lists_total", "Times that servers.conf was refused.");
        taken = settings.list();
        seen = taken;
    }

    /** Reads the file, and uses a changed list; call it once a second. */
    public void look() {
        try {
            ServersFile.Read read = ServersFile.read(file);
            synchronized (this) {
                boolean isStable = read.servers().equals(seen);
                seen = read.servers();
                if (isStable) {
                    take(read);
                }
            }
        } catch (SettingsException mistakes) {
            badLists.increment();
            faults.warn("list", mistakes.getMessage() + "; the old list stays in use");
        }
    }

    /**
     * Uses the list in the file at once, on request.
     *
     * @throws SettingsException with all errors in the list, or with the reason why the proxy has no room for it; the old
     *     list stays in use
     */
    void take() throws SettingsException {
        // Read outside the lock, so that a disk that hangs does not block other threads.
        ServersFile.Read read = ServersFile.read(file);
        synchronized (this) {
            seen = read.servers();
            take(read);
        }
    }

    /** Uses the list in the file at once, on a signal; logs the result and never throws. */
    public void reload() {
        try {
            take();
            log.info("{} was read again; its servers are in use", file);
        } catch (SettingsException mistakes) {
            badLists.increment();
            log.error("{}; the old list stays in use", mistakes.getMessage());
        } catch (RuntimeException fault) {
            log.error("{} could not be read again; the old list stays in use", file, fault);
        }
    }

    private void take(ServersFile.Read read) throws SettingsException {
        if (!read.servers().equals(taken)) {
            forwarder.use(read.servers());
            taken = read.servers();
            read.remarks().forEach(log::warn);
            SignedSums.remark(sums, taken).ifPresent(log::warn);
        }
    }
}
