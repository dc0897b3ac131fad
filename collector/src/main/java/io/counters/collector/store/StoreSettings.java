package io.counters.collector.store;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.emit.CollectorAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The settings of the store.
 *
 * @param product memcached, Redis, Couchbase, or none
 * @param servers their addresses; empty for the embedded one
 * @param part the database of Redis, the bucket of Couchbase; else empty
 * @param tls whether to connect with TLS; Redis and Couchbase only
 * @param login the collector's user and password
 */
public record StoreSettings(
        Product product, List<InetSocketAddress> servers, String part, boolean tls, Optional<StoreLogin> login) {
    /** The products, by the scheme of their URL. */
    enum Product {
        EMBEDDED(0),
        MEMCACHED(11_211),
        REDIS(6379),
        COUCHBASE(11_210);

        final int port;

        Product(int port) {
            this.port = port;
        }
    }

    private static final String ALLOWED =
            "allowed are embedded, memcached://HOST:PORT,HOST:PORT, redis://HOST:PORT/DB and"
                    + " couchbase://HOST,HOST/BUCKET (with TLS: rediss:// and couchbases://)";
    private static final Pattern URL = Pattern.compile("([a-z]+)://([^/]*)(/(.*))?");

    public StoreSettings {
        servers = List.copyOf(servers);
    }

    /** Shows everything except the login. */
    @Override
    public String toString() {
        return product + " " + servers + " " + part;
    }

    public static StoreSettings from(Settings settings) {
        StoreSettings where = settings.get(CollectorFlag.STORE, StoreSettings::read);
        String user = settings.get(CollectorFlag.STORE_USER, text -> text);
        String password = settings.secret(CollectorFlag.STORE_PASSWORD, CollectorFlag.STORE_PASSWORD_FILE);
        boolean hasLogin = !user.isEmpty() || !password.isEmpty();
        settings.get(CollectorFlag.STORE, text -> refuseHalf(text, where.product, user, password));
        return new StoreSettings(
                where.product,
                where.servers,
                where.part,
                where.tls,
                hasLogin ? Optional.of(new StoreLogin(user, password)) : Optional.empty());
    }

    private static String refuseHalf(String text, Product product, String user, String password) {
        if (text.equals("embedded") || product == Product.EMBEDDED) {
            return text;
        }
        if (password.isEmpty() && (!user.isEmpty() || product == Product.COUCHBASE)) {
            throw new IllegalArgumentException("which has no password; set the variable "
                    + CollectorFlag.STORE_PASSWORD.variable() + " or store_password_file");
        }
        if (user.isEmpty() && (product == Product.COUCHBASE || (product == Product.MEMCACHED && !password.isEmpty()))) {
            throw new IllegalArgumentException("which has a password but no user; set store_user");
        }
        return text;
    }

    private static StoreSettings read(String text) {
        if (text.equals("embedded")) {
            return new StoreSettings(Product.EMBEDDED, List.of(), "", false, Optional.empty());
        }
        Matcher url = URL.matcher(text);
        if (!url.matches()) {
            throw new IllegalArgumentException(ALLOWED);
        }
        if (text.contains("@")) {
            throw new IllegalArgumentException(
                    "which must not contain a login, because others can see it; set store_user, and the variable "
                            + CollectorFlag.STORE_PASSWORD.variable() + " or store_password_file");
        }
        Product product = switch (url.group(1)) {
            case "memcached" -> Product.MEMCACHED;
            case "redis", "rediss" -> Product.REDIS;
            case "couchbase", "couchbases" -> Product.COUCHBASE;
            default -> throw new IllegalArgumentException(ALLOWED);
        };
        List<InetSocketAddress> servers = new ArrayList<>();
        for (String server : url.group(2).split(",", -1)) {
            servers.add(server(server, product.port));
        }
        String part = url.group(4) == null ? "" : url.group(4);
        if (product == Product.REDIS) {
            database(part, servers.size());
        } else if (product == Product.COUCHBASE) {
            if (part.isEmpty() || part.contains("/")) {
                throw new IllegalArgumentException("which names no bucket; use couchbase://HOST,HOST/BUCKET");
            }
            requireCouchbaseClient();
        } else if (url.group(3) != null) {
            throw new IllegalArgumentException("of which \"" + url.group(3) + "\" is not HOST:PORT");
        }
        return new StoreSettings(
                product, servers, part, List.of("rediss", "couchbases").contains(url.group(1)), Optional.empty());
    }

    /**
     * Couchbase's client, which weighs as much as all of collector.jar, is in a jar of its own, which may be missing, or be
     * left over from before an upgrade.
     */
    private static void requireCouchbaseClient() {
        String ours = StoreSettings.class.getPackage().getImplementationVersion();
        String client;
        try {
            client = Class.forName(
                            "com.couchbase.client.java.AsyncCluster", false, StoreSettings.class.getClassLoader())
                    .getPackage()
                    .getImplementationVersion();
        } catch (ClassNotFoundException missing) {
            throw new IllegalArgumentException(
                    "whose client is not in collector.jar; put collector-couchbase.jar, of the"
                            + " same version, into the folder of collector.jar",
                    missing);
        }
        // Only jars have versions, not the folders of a build.
        if (ours != null && !ours.equals(client)) {
            throw new IllegalArgumentException(
                    "whose client, collector-couchbase.jar beside collector.jar, has version " + client
                            + ", and collector.jar " + ours + "; replace it with the one of the same version");
        }
    }

    private static int database(String text, int servers) {
        int database = text.isEmpty() ? 0 : Settings.wholeNumber(text, 0, 1_000_000);
        if (database != 0 && servers > 1) {
            throw new IllegalArgumentException("several hosts are the nodes of a cluster, which has only database 0");
        }
        return database;
    }

    private static InetSocketAddress server(String text, int defaultPort) {
        try {
            CollectorAddress server = CollectorAddress.server(text, defaultPort);
            return InetSocketAddress.createUnresolved(server.host(), server.port());
        } catch (IllegalArgumentException misshapen) {
            throw new IllegalArgumentException(
                    "of which \"" + text
                            + "\" is not HOST:PORT with a port from 1 to 65535; write an IPv6 address in [ ]",
                    misshapen);
        }
    }

    /** A server as HOST:PORT. */
    static String text(InetSocketAddress server) {
        String host = server.getHostString();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + server.getPort();
    }

    /** The address of a server if it is written as an address, which needs no name server; null for a name. */
    static @Nullable InetAddress literal(InetSocketAddress server) {
        try {
            return CollectorAddress.read(text(server)).literal();
        } catch (IllegalArgumentException otherName) {
            return null;
        }
    }

    /** Whether there is a store. */
    public boolean isShared() {
        return product != Product.EMBEDDED;
    }

    /**
     * Opens the client of the store. A host that is down or does not resolve is not an error: the client tries again.
     */
    public Store open(LongSupplier nanoClock) {
        return switch (product) {
            case EMBEDDED -> throw new IllegalStateException("there is no store to open");
            case MEMCACHED -> new MemcachedStore(servers, login, nanoClock);
            case REDIS -> new RedisStore(servers, database(part, servers.size()), tls, login, nanoClock);
            case COUCHBASE -> new CouchbaseStore(servers, part, tls, login.orElseThrow(), nanoClock);
        };
    }
}
