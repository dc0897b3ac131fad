package io.counters.collector;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.testsupport.Identity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every setting that names a file with a secret, read as a collector reads it. */
@Tag("once")
@Tag("slow")
class SecretFilesTest {
    private static final String SECRET = "ab54a98ceb1f0ad2ab54a98ceb1f0ad2";
    private static final List<String> SECRETS = List.of(
            SECRET,
            "shop-1 " + SECRET,
            "Authorization: Bearer " + SECRET,
            "-----BEGIN PRIVATE KEY-----" + SECRET + "/" + SECRET + "-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n" + SECRET + "/\n" + SECRET + "\n-----END PRIVATE KEY-----\n",
            "/" + SECRET + "/" + SECRET,
            SECRET.repeat(10));

    /** Whose files are no secret. */
    private static final List<CollectorFlag> PUBLIC =
            List.of(CollectorFlag.TLS_CERTIFICATE, CollectorFlag.TLS_CLIENT_CA);

    @TempDir
    Path folder;

    /** By their descriptions, so that a new one is not forgotten. */
    private static List<CollectorFlag> files() {
        return Arrays.stream(CollectorFlag.values())
                .filter(setting -> setting.purpose().startsWith("file "))
                .toList();
    }

    static Stream<Arguments> misused() {
        return files().stream()
                .flatMap(file -> SECRETS.stream()
                        .filter(secret -> !PUBLIC.contains(file) || secret.contains("-----BEGIN"))
                        .flatMap(secret -> Stream.of("flag", "variable", "INI file")
                                .filter(form -> !form.equals("INI file") || secret.indexOf('\n') < 0)
                                .map(form -> Arguments.of(file, secret, form))));
    }

    /** With these, each of the files is read. */
    private Map<CollectorFlag, String> others() throws Exception {
        Identity.of("one").write(folder);
        return new EnumMap<>(Map.of(
                CollectorFlag.DATA_DIR, folder.toString(),
                CollectorFlag.LEDGER, "kafka://h:9092",
                CollectorFlag.SINK, "otlp:http://h:4318/v1/metrics",
                CollectorFlag.STORE, "redis://h",
                CollectorFlag.STORE_USER, "me",
                CollectorFlag.TLS_CERTIFICATE, folder.resolve("cert.pem").toString(),
                CollectorFlag.TLS_KEY, folder.resolve("key.pem").toString()));
    }

    private static List<String> said(Settings settings) {
        List<String> said = new ArrayList<>();
        try {
            CollectorSettings.of(settings);
        } catch (SettingsException wrong) {
            said.addAll(wrong.mistakes());
        }
        said.addAll(settings.remarks());
        return said;
    }

    @ParameterizedTest
    @MethodSource("misused")
    void a_secret_in_the_place_of_its_file_is_refused_and_not_shown(CollectorFlag file, String secret, String form)
            throws Exception {
        Map<CollectorFlag, String> flags = others();
        Map<String, String> environment = Map.of();
        switch (form) {
            case "flag" -> flags.put(file, secret);
            case "variable" -> {
                flags.remove(file);
                environment = Map.of(file.variable(), secret);
            }
            default -> {
                flags.remove(file);
                Path ini = Files.writeString(folder.resolve("collector.ini"), file.key() + " = " + secret, UTF_8);
                flags.put(CollectorFlag.CONFIG, ini.toString());
            }
        }

        assertThat(said(new Settings(flags, environment)))
                .isNotEmpty()
                .noneMatch(text -> text.contains(SECRET.substring(0, 12)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"token = ", "token=", "store_password = /"})
    void a_line_of_the_ini_file_in_the_place_of_its_name_is_not_shown(String key) {
        assertThat(said(new Settings(Map.of(CollectorFlag.CONFIG, key + SECRET), Map.of())))
                .contains("--config is not shown, which does not exist; give an INI file or leave it out")
                .noneMatch(text -> text.contains(SECRET.substring(0, 12)));
    }

    @Test
    void the_file_of_tls_that_is_missing_is_named() throws Exception {
        Map<CollectorFlag, String> flags = others();
        String chain = flags.get(CollectorFlag.TLS_CERTIFICATE);
        String missing = folder.resolve("missing.pem").toString();
        for (CollectorFlag file :
                List.of(CollectorFlag.TLS_CERTIFICATE, CollectorFlag.TLS_KEY, CollectorFlag.TLS_CLIENT_CA)) {
            Map<CollectorFlag, String> wrong = new EnumMap<>(flags);
            wrong.put(file, missing);

            assertThat(said(new Settings(wrong, Map.of())))
                    .contains("--tls-certificate is " + (file == CollectorFlag.TLS_CERTIFICATE ? missing : chain)
                            + ", for which the file of " + file.key() + " (" + missing
                            + ") cannot be read: there is no such file");
        }
        flags.put(CollectorFlag.TLS_KEY, SECRET);
        assertThat(said(new Settings(flags, Map.of())))
                .contains("--tls-certificate is " + chain
                        + ", for which the file of tls_key (not shown) cannot be read: there is no such file");
    }

    @ParameterizedTest
    @MethodSource("files")
    void a_name_that_is_no_path_is_refused_and_not_shown(CollectorFlag file) throws Exception {
        Map<CollectorFlag, String> flags = others();
        flags.put(file, "\0" + SECRET);

        assertThat(said(new Settings(flags, Map.of())))
                .anyMatch(text -> text.contains("is not a path on this system"))
                .noneMatch(text -> !PUBLIC.contains(file) && text.contains(SECRET));
    }

    @ParameterizedTest
    @MethodSource("files")
    void a_device_is_not_read_without_end(CollectorFlag file) throws Exception {
        Map<CollectorFlag, String> flags = others();
        flags.put(file, "/dev/zero");

        assertThat(said(new Settings(flags, Map.of())))
                .anyMatch(text -> text.contains("not a regular file") || text.contains("larger than 1 MiB"));
    }

    @Test
    void a_secret_that_every_user_of_this_machine_can_read_is_a_warning() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Map<CollectorFlag, String> flags = others();
        for (CollectorFlag file : files()) {
            // Keys have a warning of their own, where they are read again.
            if (!PUBLIC.contains(file) && file != CollectorFlag.KEYS) {
                Path secret = flags.containsKey(file)
                        ? Path.of(flags.get(file))
                        : Files.writeString(folder.resolve(file.key()), "");
                flags.put(file, secret.toString());
                Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-r--r--"));
            }
        }

        assertThat(said(new Settings(flags, Map.of())))
                .filteredOn(text -> text.contains("which every user of this machine can read (rw-r--r--)"))
                .hasSize(files().size() - PUBLIC.size() - 1);
    }

    @ParameterizedTest
    @CsvSource({"token = 0123456789abcdef, 1", "store_password = hunter2, 1", "token_file = token, 0", "bind = ::1, 0"})
    void an_ini_file_with_a_secret_that_every_user_of_this_machine_can_read_is_a_warning(String line, int warnings)
            throws Exception {
        Map<CollectorFlag, String> flags = others();
        Path ini = Files.writeString(folder.resolve("collector.ini"), line + "\n");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(ini, PosixFilePermissions.fromString("rw-r--r--"));
        flags.put(CollectorFlag.CONFIG, ini.toString());

        assertThat(said(new Settings(flags, Map.of("COUNTERS_TOKEN", "fedcba9876543210"))))
                .filteredOn(
                        ("--config is " + ini + ", which every user of this machine can read (rw-r--r--); run: chmod"
                                + " 600 " + ini)::equals)
                .hasSize(warnings);
    }
}
