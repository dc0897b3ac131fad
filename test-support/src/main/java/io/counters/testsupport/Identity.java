package io.counters.testsupport;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A certificate that certifies itself, for localhost and 127.0.0.1, with its key, made by the JDK's keytool once for each name.
 * As an authority it certifies itself only. Names that begin with different letters expire on different days;
 * what follows a {@code #} is not part of the certificate, so that two may look alike.
 */
public final class Identity {
    private static final char[] PASSWORD = "changeit".toCharArray();
    private static final Map<String, Identity> MADE = new ConcurrentHashMap<>();

    private final KeyStore store;
    private final String keyPem;

    private Identity(KeyStore store) throws GeneralSecurityException {
        this.store = store;
        // To decrypt it takes 0.1 s.
        keyPem = pem("PRIVATE KEY", store.getKey("own", PASSWORD).getEncoded());
    }

    public static Identity of(String name) {
        return MADE.computeIfAbsent(name, fresh -> {
            try {
                return make(fresh);
            } catch (IOException | GeneralSecurityException | InterruptedException failed) {
                throw new IllegalStateException("keytool failed", failed);
            }
        });
    }

    private static Identity make(String name) throws IOException, GeneralSecurityException, InterruptedException {
        Path folder = Files.createTempDirectory("identity");
        Path file = folder.resolve("store.p12");
        Process keytool = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "own",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name.replaceAll("#.*", ""),
                        "-ext",
                        "san=dns:localhost,ip:127.0.0.1",
                        "-validity",
                        Integer.toString(30 + name.charAt(0) % 20),
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        new String(PASSWORD)))
                .redirectErrorStream(true)
                .start();
        String said = new String(keytool.getInputStream().readAllBytes(), US_ASCII);
        if (keytool.waitFor() != 0) {
            throw new IOException(said);
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        Files.delete(file);
        Files.delete(folder);
        return new Identity(store);
    }

    public X509Certificate certificate() throws GeneralSecurityException {
        return (X509Certificate) store.getCertificate("own");
    }

    public String certificatePem() throws GeneralSecurityException {
        return pem("CERTIFICATE", certificate().getEncoded());
    }

    public String keyPem() {
        return keyPem;
    }

    private static String pem(String what, byte[] bytes) {
        return "-----BEGIN " + what + "-----\n" + Base64.getMimeEncoder().encodeToString(bytes) + "\n-----END " + what
                + "-----\n";
    }

    /** Writes the certificate as {@code cert.pem}, and the key as {@code key.pem}. */
    public void write(Path folder) throws IOException, GeneralSecurityException {
        Files.writeString(folder.resolve("cert.pem"), certificatePem());
        Files.writeString(folder.resolve("key.pem"), keyPem());
    }

    /** For a client that trusts this one, and shows the certificate of {@code own} if that is given. */
    public SSLContext client(Identity... own) throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("server", certificate());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own.length == 0 ? null : own[0].store, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.length == 0 ? null : keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
