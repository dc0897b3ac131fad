package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StoreSettingsTest {
    @TempDir
    Path folder;

    private static List<String> mistakes(Settings settings) {
        StoreSettings.from(settings);
        return catchThrowableOfType(SettingsException.class, settings::check).mistakes();
    }

    private static Settings store(String url) {
        return new Settings(Map.of(CollectorFlag.STORE, url), Map.of());
    }

    @ParameterizedTest
    @CsvSource({
        "embedded,                                    EMBEDDED [] ''",
        "'memcached://h1,h2:1',                       'MEMCACHED h1:11211,h2:1 '''''",
        "'memcached://[::1]:7,[fe80::1]',             'MEMCACHED [::1]:7,[fe80::1]:11211 '''''",
        "redis://h,                                   'REDIS h:6379 '''''",
        "rediss://h:1/15,                             'REDIS h:1 ''15'' tls'",
        "'redis://h1,h2:2/0',                         'REDIS h1:6379,h2:2 ''0'''",
        "'couchbase://h1,h2/shop',                    'COUCHBASE h1:11210,h2:11210 ''shop'''",
    })
    void a_url_contains_product_servers_and_part(String url, String read) throws Exception {
        Settings settings = new Settings(
                Map.of(CollectorFlag.STORE, url),
                Map.of("COUNTERS_STORE_USER", "me", "COUNTERS_STORE_PASSWORD", "hunter2"));

        StoreSettings storing = StoreSettings.from(settings);

        settings.check();
        String servers = String.join(
                ",", storing.servers().stream().map(StoreSettings::text).toList());
        assertThat(storing.product() + " " + (servers.isEmpty() ? "[]" : servers) + " '" + storing.part() + "'"
                        + (storing.tls() ? " tls" : ""))
                .isEqualTo(read);
    }

    @ParameterizedTest
    @CsvSource({
        "http://h,                 allowed are embedded",
        "redis://,                 is not HOST:PORT",
        "redis://h/x,              whole numbers from 0",
        "'redis://h,g/1',          only database 0",
        "memcached://h/1,          is not HOST:PORT",
        "memcached://::1,          write an IPv6 address in [ ]",
        "couchbase://h,            names no bucket",
        "couchbase://h/a/b,        names no bucket",
    })
    void an_invalid_url_is_rejected_with_the_rule(String url, String rule) {
        assertThat(mistakes(store(url)))
                .singleElement()
                .asString()
                .startsWith("--store is " + url + ", ")
                .contains(rule);
    }

    @ParameterizedTest
    @CsvSource({"redis://me:hunter2@h", "memcached://hunter2@h:1", "couchbase://me:hun/ter2@h/b", "redis://:hunter2@h/x"
    })
    void a_password_in_the_url_is_refused_and_not_shown(String url) {
        assertThat(mistakes(store(url)))
                .singleElement()
                .asString()
                .contains("--store is ", "//...@", "COUNTERS_STORE_PASSWORD", "store_password_file")
                .doesNotContain("hunter2", "ter2", "me:");
    }

    @Test
    void a_login_is_read_from_the_environment_or_a_file_and_is_never_shown() throws Exception {
        Path file = Files.writeString(folder.resolve("secret"), "\uFEFFhunter2\n");
        Settings byVariable = new Settings(
                Map.of(CollectorFlag.STORE, "redis://h"),
                Map.of("COUNTERS_STORE_USER", "me\n", "COUNTERS_STORE_PASSWORD", "hunter2\n"));
        Settings byFile = new Settings(
                Map.of(
                        CollectorFlag.STORE, "redis://h",
                        CollectorFlag.STORE_USER, "me",
                        CollectorFlag.STORE_PASSWORD_FILE, file.toString()),
                Map.of());

        for (Settings settings : List.of(byVariable, byFile)) {
            StoreSettings storing = StoreSettings.from(settings);

            settings.check();
            assertThat(storing.login()).contains(new StoreLogin("me", "hunter2"));
            assertThat(storing.toString() + storing.login()).doesNotContain("hunter2");
        }
    }

    @Test
    void an_incomplete_login_is_rejected_with_the_remedy() throws Exception {
        Path empty = Files.writeString(folder.resolve("empty"), "\n");

        assertThat(mistakes(new Settings(
                        Map.of(CollectorFlag.STORE, "redis://h", CollectorFlag.STORE_USER, "me"), Map.of())))
                .singleElement()
                .asString()
                .contains("has no password", "COUNTERS_STORE_PASSWORD");
        assertThat(mistakes(new Settings(
                        Map.of(CollectorFlag.STORE, "memcached://h"), Map.of("COUNTERS_STORE_PASSWORD", "hunter2"))))
                .singleElement()
                .asString()
                .contains("no user", "store_user")
                .doesNotContain("hunter2");
        assertThat(mistakes(new Settings(
                        Map.of(CollectorFlag.STORE, "redis://h", CollectorFlag.STORE_PASSWORD_FILE, empty.toString()),
                        Map.of())))
                .containsExactly("--store-password-file is " + empty
                        + ", which is empty; it must contain the secret and nothing else");
        assertThat(mistakes(new Settings(
                        Map.of(CollectorFlag.STORE, "redis://h", CollectorFlag.STORE_PASSWORD_FILE, empty.toString()),
                        Map.of("COUNTERS_STORE_PASSWORD", "hunter2"))))
                .singleElement()
                .asString()
                .contains("keep one of the two")
                .doesNotContain("hunter2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"store_password hunter2", "STORE_PASSWORD: hunter2"})
    void the_error_of_a_line_without_an_equals_sign_does_not_show_the_password(String line) throws Exception {
        Path ini = Files.writeString(folder.resolve("c.ini"), line);

        assertThat(mistakes(new Settings(Map.of(CollectorFlag.CONFIG, ini.toString()), Map.of())))
                .singleElement()
                .asString()
                .contains("c.ini line 1")
                .doesNotContain("hunter2");
    }
}
