package io.counters.collector.access;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.collector.settings.NamedFile;
import io.counters.collector.settings.Settings;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads certificates and keys in PEM. Every exception is an {@link IllegalArgumentException} that shows no part of a file. */
final class Pem {
    /** The settings with the files. */
    static final String CHAIN = "tls_certificate";

    static final String KEY = "tls_key";
    static final String CLIENT_CA = "tls_client_ca";

    private static final Pattern KEY_TEXT =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

    private Pem() {}

    /** @param setting that names the file, as in the INI file; the message names it, too */
    static byte[] read(Path file, String setting) {
        try {
            return NamedFile.bytes(file);
        } catch (IOException unreadable) {
            // The name of the key's file may be the key itself, and is in the cause's message.
            String name = setting.equals(KEY) ? Settings.shownFile(file.toString()) : Settings.shown(file.toString());
            throw new IllegalArgumentException("for which the file of " + setting + " (" + name + ") cannot be read: "
                    + NamedFile.reason(unreadable));
        }
    }

    /** The certificates in a file, in their order; at least one. */
    static List<X509Certificate> certificates(Path file, String setting) {
        try {
            List<X509Certificate> read =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(read(file, setting)))
                            .stream()
                            .map(X509Certificate.class::cast)
                            .toList();
            if (!read.isEmpty()) {
                return read;
            }
        } catch (CertificateException | ClassCastException malformed) {
            // Reported below.
        }
        throw new IllegalArgumentException("for which " + file
                + " has no certificates in PEM; it must contain -----BEGIN CERTIFICATE-----, the server's own first");
    }

    /** The private key in a file, which must belong to this certificate. */
    static PrivateKey key(Path file, X509Certificate certificate) {
        Matcher pem = KEY_TEXT.matcher(new String(read(file, KEY), ISO_8859_1));
        if (!pem.find()) {
            throw new IllegalArgumentException("for which " + file
                    + " has no private key in PKCS#8 without a password; convert it with:"
                    + " openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW");
        }
        PublicKey open = certificate.getPublicKey();
        try {
            PrivateKey key = KeyFactory.getInstance(open.getAlgorithm())
                    .generatePrivate(
                            new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem.group(1))));
            if (isOf(key, open)) {
                return key;
            }
        } catch (GeneralSecurityException | IllegalArgumentException otherKind) {
            // Reported below.
        }
        throw new IllegalArgumentException(
                "for which " + file + " has the key of another certificate; both files must be of one pair, RSA or EC");
    }

    private static boolean isOf(PrivateKey key, PublicKey open) throws GeneralSecurityException {
        String algorithm = open.getAlgorithm().equals("EC") ? "SHA256withECDSA" : "SHA256with" + open.getAlgorithm();
        byte[] probe = "counters".getBytes(US_ASCII);
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(probe);
        byte[] signed = signature.sign();
        signature.initVerify(open);
        signature.update(probe);
        return signature.verify(signed);
    }
}
