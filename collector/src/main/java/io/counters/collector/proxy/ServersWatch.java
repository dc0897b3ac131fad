package io.counters.collector.proxy;

import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import io.counters.collector.settings.SettingsException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees that servers.conf has changed. A list with mistakes, or one that the proxy has no room for, is told
 * and not taken; one that is only just being written is
 * taken when it was the same twice. For any thread.
 */
public final class ServersWatch {
    private static final Logger log = LoggerFactory.getLogger(ServersWatch.class);

    private final Path file;
    private final Forwarder forwarder;
    private final FaultLog faults;
    private final LongAdder badLists;
    private List<Server> taken;
    private List<Server> seen;

    public ServersWatch(ProxySettings settings, Forwarder forwarder, FaultLog faults, Self self) {
        this.file = settings.servers();
        this.forwarder = forwarder;
        this.faults = faults;
        badLists = self.count("proxy_bad_lists_total");
        taken = settings.list();
        seen = taken;
    }

    /** Looks; to be called once a second. */
    public void look() {
        try {
            ServersFile.Read read = ServersFile.read(file);
            synchronized (this) {
                boolean isWhole = read.servers().equals(seen);
                seen = read.servers();
                if (isWhole) {
                    take(read);
                }
            }
        } catch (SettingsException mistakes) {
            badLists.increment();
            faults.warn("list", mistakes.getMessage() + "; the servers stay");
        }
    }

    /**
     * Takes the list as it is now, as somebody wants it.
     *
     * @throws SettingsException with every mistake in it, or why the proxy has no room for it; the servers stay
     */
    void take() throws SettingsException {
        // Read outside the lock: a disk that hangs keeps nobody else waiting.
        ServersFile.Read read = ServersFile.read(file);
        synchronized (this) {
            seen = read.servers();
            take(read);
        }
    }

    /** Takes the list as it is now, as a signal wants it; logs what came of it and never throws. */
    public void reload() {
        try {
            take();
            log.info("{} was read again; its servers are in use", file);
        } catch (SettingsException mistakes) {
            badLists.increment();
            log.error("{}; the servers stay as they were", mistakes.getMessage());
        } catch (RuntimeException fault) {
            log.error("{} could not be read again; the servers stay as they were", file, fault);
        }
    }

    private void take(ServersFile.Read read) throws SettingsException {
        if (!read.servers().equals(taken)) {
            forwarder.use(read.servers());
            taken = read.servers();
            read.remarks().forEach(log::warn);
        }
    }
}
