package io.counters.collector.access;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.settings.NamedFile;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate with which ports identify themselves by TLS 1.3 or 1.2, and the authorities that let clients in. Its files are
 * read again by {@link #look}: connections that are open keep what they have, new ones get the new certificate. Files that
 * cannot be used change nothing. For any thread, except {@link #look}.
 */
public final class Certificate {
    private static final Logger log = LoggerFactory.getLogger(Certificate.class);

    /** Sessions that clients of TLS 1.2 may resume; those of TLS 1.3 keep theirs themselves. */
    private static final int SESSIONS_MAX = 1024;

    /** TLS 1.3 allows 7 days at most; the JDK sends no ticket for a session that lasts longer. */
    private static final long NO_TICKETS_SECONDS = TimeUnit.DAYS.toSeconds(8);

    static {
        // Tickets of TLS 1.2 also depend on it, and its clients fail if a session that lasts so long promises one. Each
        // context
        // reads it when it is built. Sessions without tickets are kept here, so clients of HTTP may still resume
        // theirs.
        System.setProperty("jdk.tls.server.enableSessionTicketExtension", "false");
    }

    private static final long WARNING_SECONDS = TimeUnit.DAYS.toSeconds(7);
    private static final long WARN_EVERY_SECONDS = TimeUnit.DAYS.toSeconds(1);

    private final TlsFiles files;
    private volatile Loaded loaded;

    // Of look

    private byte[] lastSeen;
    private long warnedSeconds;

    /**
     * @param forClients with a certificate or without one
     * @param forCertified with a certificate only
     */
    private record Loaded(SslContext forClients, SslContext forCertified, X509Certificate own) {
        long endsSeconds() {
            return own.getNotAfter().toInstant().getEpochSecond();
        }
    }

    private Certificate(TlsFiles files, byte[] seen, Loaded loaded) {
        this.files = files;
        this.loaded = loaded;
        lastSeen = seen;
    }

    /**
     * Reads the files.
     *
     * @param chain PEM: the certificate, and those that certify it
     * @param key PEM: its private key, in PKCS#8 and not encrypted
     * @param clientCa PEM: the authorities whose certificates let clients in; empty if clients need none
     * @throws IllegalArgumentException with the file that cannot be used, the reason and the remedy
     */
    public static Certificate of(String chain, String key, String clientCa) {
        TlsFiles files = new TlsFiles(
                NamedFile.path(chain),
                NamedFile.path(key),
                clientCa.isEmpty() ? Optional.empty() : Optional.of(NamedFile.path(clientCa)));
        return new Certificate(files, read(files), load(files));
    }

    private static byte[] read(TlsFiles files) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(Pem.read(files.chain(), Pem.CHAIN));
        all.writeBytes(Pem.read(files.key(), Pem.KEY));
        files.clientCa().ifPresent(ca -> all.writeBytes(Pem.read(ca, Pem.CLIENT_CA)));
        return all.toByteArray();
    }

    private static Loaded load(TlsFiles files) {
        List<X509Certificate> chain = Pem.certificates(files.chain(), Pem.CHAIN);
        PrivateKey key = Pem.key(files.key(), chain.get(0));
        List<X509Certificate> ca = files.clientCa()
                .map(file -> Pem.certificates(file, Pem.CLIENT_CA))
                .orElse(List.of());
        try {
            return new Loaded(
                    context(chain, key, ca, ca.isEmpty() ? ClientAuth.NONE : ClientAuth.OPTIONAL)
                            .build(),
                    context(chain, key, ca, ca.isEmpty() ? ClientAuth.NONE : ClientAuth.REQUIRE)
                            // A sender only writes. A ticket would remain unread, and for that reason the sender's
                            // kernel
                            // would end the connection with a reset, which discards what has not been sent or read yet.
                            .sessionTimeout(NO_TICKETS_SECONDS)
                            .build(),
                    chain.get(0));
        } catch (IOException unusable) {
            throw new IllegalArgumentException("which the JDK's TLS cannot use: " + unusable.getMessage(), unusable);
        }
    }

    private static SslContextBuilder context(
            List<X509Certificate> chain, PrivateKey key, List<X509Certificate> ca, ClientAuth clients) {
        SslContextBuilder builder = SslContextBuilder.forServer(key, chain.toArray(X509Certificate[]::new))
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.3", "TLSv1.2")
                .sessionCacheSize(SESSIONS_MAX)
                .clientAuth(clients);
        return ca.isEmpty() ? builder : builder.trustManager(ca.toArray(X509Certificate[]::new));
    }

    /** Whether clients may identify themselves by a certificate. */
    public boolean identifiesClients() {
        return files.clientCa().isPresent();
    }

    /** For a new connection of HTTP; a client may have a certificate. */
    public SslHandler handler(ByteBufAllocator buffers) {
        return handler(loaded.forClients, buffers);
    }

    /** For a new connection with lines; if there are client certificates, its client must have one. */
    public TlsChannel lines(SocketChannel socket) {
        return new TlsChannel(socket, handler(loaded.forCertified, TlsChannel.BUFFERS));
    }

    /** Without a time limit of its own: each port ends a handshake that takes too long. */
    private static SslHandler handler(SslContext from, ByteBufAllocator buffers) {
        SslHandler handler = new BoundedTls(from.newEngine(buffers));
        handler.setHandshakeTimeoutMillis(0);
        handler.setCloseNotifyFlushTimeoutMillis(1000);
        return handler;
    }

    /** The Unix time at which the certificate expires. */
    public long endsSeconds() {
        return loaded.endsSeconds();
    }

    /** For a client that trusts a server with this certificate, and no other. */
    public SSLContext client() {
        return PinnedCertificate.client(loaded.own);
    }

    /**
     * For a client that trusts servers whose certificates are of these authorities.
     *
     * @throws IllegalArgumentException if the file has no certificates in PEM
     */
    public static SSLContext client(Path authorities) {
        List<X509Certificate> trusted = Pem.certificates(authorities, "tls_ca");
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (X509Certificate one : trusted) {
                store.setCertificateEntry("" + store.size(), one);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException impossible) {
            throw new IllegalStateException("every JDK has TLS", impossible);
        }
    }

    /** Shows when the certificate expires. */
    public void show(Metrics metrics) {
        metrics.gauge(
                "tls_certificate_expires_seconds", "Unix time at which the certificate expires.", this::endsSeconds);
    }

    /** Reads the files again, and uses them from now on if they have changed and can be used. Call it from one thread. */
    public void look(InstantSource clock, FaultLog faults) {
        try {
            byte[] seen = read(files);
            if (!Arrays.equals(seen, lastSeen)) {
                loaded = load(files);
                lastSeen = seen;
                log.info("the certificate {} was read again, and is used for new connections", files.chain());
                AccessSettings.readers(files.key().toString())
                        .ifPresent(why -> faults.warn(
                                "private key", "the file of the private key is " + files.key() + ", " + why));
            }
        } catch (IllegalArgumentException unusable) {
            faults.warn(
                    "certificate",
                    "the certificate " + files.chain()
                            + " or what belongs to it has changed and cannot be used, so new connections"
                            + " get the earlier one: " + unusable.getMessage());
        }
        long now = clock.millis() / 1000;
        long left = endsSeconds() - now;
        if (left < WARNING_SECONDS && now - warnedSeconds >= WARN_EVERY_SECONDS) {
            warnedSeconds = now;
            faults.warn(
                    "certificate ends",
                    "the certificate " + files.chain()
                            + (left < 0 ? " has expired" : " expires in " + left / 3600 + " h")
                            + "; replace its files, which are read again within seconds");
        }
    }
}
