package io.counters.packaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The files from which packages, images and charts are made, against each other and the collector's settings. */
class PackagingFilesTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path SETTINGS =
            ROOT.resolve("collector/src/main/java/io/counters/collector/settings/CollectorFlag.java");

    private static String text(String file) throws IOException {
        return Files.readString(Path.of(file));
    }

    private static List<Object> yaml(Path file) throws IOException {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        List<Object> documents = new ArrayList<>();
        new Yaml(new SafeConstructor(options)).loadAll(Files.readString(file)).forEach(documents::add);
        return documents;
    }

    static List<Path> plainYaml() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("."))) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .filter(file -> !file.toString().contains("/templates/")
                            && !file.toString().contains("/target/"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("plainYaml")
    void yaml_is_well_formed(Path file) throws IOException {
        assertThat(yaml(file)).isNotEmpty().doesNotContainNull();
    }

    /** The keys of the settings, such as udp_port. */
    private static Set<String> settings() throws IOException {
        return Pattern.compile("(?m)^    ([A-Z_]+)\\($")
                .matcher(Files.readString(SETTINGS).replaceAll("(?m)^    ([A-Z_]+)\\(.+$", "    $1("))
                .results()
                .map(setting -> setting.group(1).toLowerCase(Locale.ROOT))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void the_settings_in_these_files_exist() throws IOException {
        Set<String> known = settings();
        assertThat(known).contains("udp_port", "data_dir", "otlp_port");
        Set<String> used = new TreeSet<>();
        Pattern.compile("(?m)^#?([a-z_]+) = ")
                .matcher(text("debian/collector.conf"))
                .results()
                .forEach(key -> used.add(key.group(1)));
        for (String file : List.of(
                "docker/Dockerfile",
                "helm/counters/templates/_helpers.tpl",
                "helm/counters/values.yaml",
                "compose/compose.yaml")) {
            Pattern.compile("COUNTERS_([A-Z_]+)|[ \"]--([a-z-]+)=(?=[\\w{$/])")
                    .matcher(text(file).replaceAll("(?m)^(?:HEALTHCHECK|COPY|FROM|RUN) .*$", ""))
                    .results()
                    .map(name -> name.group(1) == null
                            ? name.group(2).replace('-', '_')
                            : name.group(1).toLowerCase(Locale.ROOT))
                    .forEach(used::add);
        }
        // Kubernetes would set it for a service of that name; a comment says so.
        used.remove("port");

        assertThat(used).contains("data_dir", "opentsdb", "ledger", "instance", "store_password");
        assertThat(known).containsAll(used);
    }

    @Test
    void the_service_of_the_proxy_is_as_closed_as_that_of_the_collector() throws IOException {
        Map<String, List<String>> collector =
                Unit.read(Path.of("debian/counters-collector.service")).values();
        Map<String, List<String>> proxy =
                Unit.read(Path.of("debian/counters-proxy.service")).values();

        assertThat(collector.keySet().stream()
                        .filter(key -> key.matches("(Protect|Private|Restrict|SystemCall|Lock).*")))
                .hasSizeGreaterThan(15)
                .allSatisfy(key -> assertThat(proxy.get(key)).as(key).isEqualTo(collector.get(key)));
    }

    @Test
    void the_units_memory_is_twice_the_heap() throws IOException {
        assertThat(text("debian/default")).contains("-Xmx512m");
        for (String unit : List.of("debian/counters-collector.service", "debian/counters-proxy.service")) {
            assertThat(Unit.read(Path.of(unit)).value("MemoryMax")).isEqualTo("1G");
        }
        assertThat(text("docker/Dockerfile")).contains("-XX:MaxRAMPercentage=50");
    }

    @Test
    void the_socket_has_what_the_service_can_take() throws IOException {
        Unit socket = Unit.read(Path.of("debian/counters-collector.socket"));

        assertThat(socket.values().keySet().stream().filter(key -> key.startsWith("Listen")))
                .as("with StandardInput=socket, systemd passes exactly one")
                .containsExactly("ListenDatagram");
        assertThat(socket.value("ListenDatagram")).endsWith("11212");
    }

    @Test
    void systemd_never_gives_up_a_service_whose_socket_it_would_close() throws IOException {
        Unit service = Unit.read(Path.of("debian/counters-collector.service"));

        assertThat(service.value("StandardInput")).isEqualTo("socket");
        assertThat(service.value("StartLimitIntervalSec")).isEqualTo("0");
        assertThat(service.value("Restart")).isEqualTo("on-failure");
        assertThat(service.values()).doesNotContainKey("RestartPreventExitStatus");
    }

    @Test
    void the_chart_has_the_version_of_the_project_and_images_are_those_of_a_registry_of_yours() throws IOException {
        String version = Pattern.compile("<artifactId>counters-parent</artifactId>\\s*<version>(.*?)</version>")
                .matcher(text("pom.xml"))
                .results()
                .map(found -> found.group(1))
                .findFirst()
                .orElseThrow();

        assertThat(text("helm/counters/Chart.yaml")).contains("appVersion: " + version + "\n");
        for (Path file : plainYaml()) {
            assertThat(Files.readString(file))
                    .as(file.toString())
                    .doesNotContainPattern("(?m)^ *(?:image|reference|repository): \"?counters/")
                    .doesNotContainPattern("counters/(agent|collector|proxy):(?!TAG\\s)");
        }
    }
}
