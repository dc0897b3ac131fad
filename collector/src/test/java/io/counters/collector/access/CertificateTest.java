package io.counters.collector.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.testsupport.Identity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.time.Instant;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class CertificateTest {
    @TempDir
    Path folder;

    private final SaidFaults said = new SaidFaults();
    private Instant now = Instant.now();

    private static Certificate in(Path where, Identity identity, String clientCa) throws Exception {
        identity.write(where);
        return Certificate.of(
                where.resolve("cert.pem").toString(), where.resolve("key.pem").toString(), clientCa);
    }

    private void refused(String rule) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Certificate.of(
                        folder.resolve("cert.pem").toString(),
                        folder.resolve("key.pem").toString(),
                        ""))
                .withMessageContaining(rule)
                .withMessageContaining(folder.toString());
    }

    @Test
    void files_that_cannot_be_used_are_refused_with_their_name_and_the_remedy()
            throws IOException, GeneralSecurityException {
        Identity one = Identity.of("one");
        refused("cannot be read");
        one.write(folder);
        Files.writeString(folder.resolve("cert.pem"), "no certificate\n");
        refused("BEGIN CERTIFICATE");
        one.write(folder);
        Files.writeString(folder.resolve("key.pem"), one.keyPem().replace("PRIVATE", "RSA PRIVATE"));
        refused("openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW");
        Files.writeString(folder.resolve("key.pem"), Identity.of("two").keyPem());
        refused("the key of another certificate");
        Files.writeString(folder.resolve("key.pem"), one.keyPem().replace("\n", "\nA"));
        refused("both files must be of one pair");
        Files.write(folder.resolve("key.pem"), new byte[(1 << 20) + 1]);
        refused("larger than 1 MiB");
    }

    @Test
    void new_files_are_used_when_both_fit_and_until_then_the_earlier_ones_stay() throws Exception {
        Identity one = Identity.of("one");
        Identity two = Identity.of("two");
        Certificate certificate = in(folder, one, "");
        Metrics metrics = new Metrics();
        certificate.show(metrics);
        certificate.look(() -> now, said.log());
        assertThat(said.lines()).isEmpty();
        assertThat(metrics.values())
                .containsEntry(
                        "tls_certificate_expires_seconds",
                        one.certificate().getNotAfter().toInstant().getEpochSecond());

        // One file after the other is replaced.
        Files.writeString(folder.resolve("cert.pem"), two.certificatePem());
        certificate.look(() -> now, said.log());
        assertThat(said.lines())
                .singleElement()
                .asString()
                .startsWith("WARN the certificate ")
                .contains("new connections get the earlier one", "the key of another certificate");
        assertThat(certificate.endsSeconds())
                .isEqualTo(one.certificate().getNotAfter().toInstant().getEpochSecond());

        Files.delete(folder.resolve("key.pem"));
        certificate.look(() -> now, said.log());
        Files.writeString(folder.resolve("key.pem"), two.keyPem());
        certificate.look(() -> now, said.log());
        assertThat(certificate.endsSeconds())
                .isEqualTo(two.certificate().getNotAfter().toInstant().getEpochSecond());
    }

    @Test
    void a_new_key_that_every_user_of_this_machine_can_read_is_a_warning() throws Exception {
        Certificate certificate = in(folder, Identity.of("one"), "");
        Path key = folder.resolve("key.pem");
        Identity.of("two").write(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));

        certificate.look(() -> now, said.log());

        assertThat(said.lines())
                .containsExactly("WARN the file of the private key is " + key
                        + ", which every user of this machine can read (rw-r--r--); run: chmod 600 " + key);
        Identity.of("one").write(folder);
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        certificate.look(() -> now, said.log());
        assertThat(said.lines()).hasSize(1);
    }

    @Test
    void a_certificate_that_expires_within_a_week_is_a_warning_once_a_day() throws Exception {
        Certificate certificate = in(folder, Identity.of("one"), "");
        Instant end = Identity.of("one").certificate().getNotAfter().toInstant();

        now = end.minusSeconds(8 * 86_400);
        certificate.look(() -> now, said.log());
        assertThat(said.lines()).isEmpty();
        now = end.minusSeconds(86_400);
        certificate.look(() -> now, said.log());
        now = now.plusSeconds(3600);
        certificate.look(() -> now, said.log());
        assertThat(said.lines()).singleElement().asString().contains(" expires in 24 h; replace its files");
    }
}
