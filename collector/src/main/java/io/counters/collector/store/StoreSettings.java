package io.counters.collector.store;

import io.counters.collector.settings.Setting;
import io.counters.collector.settings.Settings;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Which store others read.
 *
 * @param memcached its servers; empty for none, so that only the embedded ledger holds the values
 */
public record StoreSettings(List<InetSocketAddress> memcached) {
    private static final String SCHEME = "memcached://";
    private static final int PORT_DEFAULT = 11_211;

    public StoreSettings {
        memcached = List.copyOf(memcached);
    }

    public static StoreSettings from(Settings settings) {
        return settings.get(Setting.STORE, StoreSettings::read);
    }

    private static StoreSettings read(String text) {
        if (text.equals("embedded")) {
            return new StoreSettings(List.of());
        }
        if (!text.startsWith(SCHEME)) {
            throw new IllegalArgumentException("allowed are embedded and memcached://HOST:PORT,HOST:PORT");
        }
        List<InetSocketAddress> servers = new ArrayList<>();
        for (String server : text.substring(SCHEME.length()).split(",", -1)) {
            int colon = server.lastIndexOf(':');
            boolean hasPort = colon > server.lastIndexOf(']');
            String host = hasPort ? server.substring(0, colon) : server;
            if (host.isEmpty() || host.contains("/") || host.contains("@")) {
                throw new IllegalArgumentException("of which \"" + server + "\" is not HOST:PORT");
            }
            int port = hasPort ? Settings.wholeNumber(server.substring(colon + 1), 1, 65_535) : PORT_DEFAULT;
            servers.add(InetSocketAddress.createUnresolved(host, port));
        }
        return new StoreSettings(servers);
    }

    /** Whether there is a shared store at all. */
    public boolean isShared() {
        return !memcached.isEmpty();
    }
}
