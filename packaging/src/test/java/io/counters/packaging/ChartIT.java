package io.counters.packaging;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The Helm chart, rendered by Helm itself. */
@Tag("once")
class ChartIT {
    private static final Path CHART = Path.of("helm", "counters");
    private static final String IMAGE = "registry.example/counters/collector";

    /** The rendered objects by kind. */
    private static Map<String, Map<String, Object>> rendered(String... values) {
        TemplateCommand template = new Helm(CHART)
                .template()
                .withName("counters")
                .withNamespace("monitoring")
                .set("image.repository", IMAGE);
        for (String value : values) {
            int equals = value.indexOf('=');
            template.set(value.substring(0, equals), value.substring(equals + 1));
        }
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        Map<String, Map<String, Object>> objects = new TreeMap<>();
        for (Object each : new Yaml(new SafeConstructor(options)).loadAll(template.call())) {
            Map<String, Object> object = map(each);
            assertThat(objects.put((String) object.get("kind"), object)).isNull();
        }
        return objects;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(Object yaml) {
        return (Map<String, Object>) yaml;
    }

    /** What is at a path: names of keys, and numbers of elements. */
    private static Object at(@Nullable Object object, Object... path) {
        Object found = requireNonNull(object, "there is no such object");
        for (Object step : path) {
            Object next = step instanceof Integer index
                    ? ((List<?>) found).get(index)
                    : map(found).get((String) step);
            found = requireNonNull(next, () -> List.of(path) + " in " + object);
        }
        return found;
    }

    private static List<String> all(Object list, String key) {
        return ((List<?>) list)
                .stream().map(each -> String.valueOf(at(each, key))).toList();
    }

    @Test
    void helm_finds_nothing_wrong() {
        LintResult lint = new Helm(CHART).lint().strict().call();

        assertThat(lint.isFailed()).as(lint.getMessages().toString()).isFalse();
    }

    @Test
    void one_collector_is_a_stateful_set_with_a_volume() {
        Map<String, Map<String, Object>> objects = rendered("settings.store=memcached://m:11211");

        assertThat(objects).containsOnlyKeys("NetworkPolicy", "Service", "StatefulSet");
        Object set = objects.get("StatefulSet");
        assertThat(at(set, "spec", "replicas")).isEqualTo(1);
        assertThat(at(set, "spec", "volumeClaimTemplates", 0, "metadata", "name"))
                .isEqualTo("ledger");
        isConsistent(objects, "StatefulSet");
        assertThat(at(set, "spec", "podManagementPolicy"))
                .as("a pod that cannot start is replaced by an upgrade, without waiting for it")
                .isEqualTo("Parallel");
        assertThat(at(set, "spec", "template", "spec", "containers", 0, "image"))
                .asString()
                .startsWith(IMAGE + ":");
        assertThat(at(set, "spec", "template", "spec", "containers", 0, "args"))
                .isEqualTo(List.of("--store=memcached://m:11211"));
    }

    @Test
    void a_fleet_is_a_deployment_without_a_volume_and_with_a_budget_of_disruptions() {
        Map<String, Map<String, Object>> objects = rendered("fleet.enabled=true", "fleet.ledger=kafka://k:9092");

        assertThat(objects).containsOnlyKeys("Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service");
        isConsistent(objects, "Deployment");
        Object container = at(objects.get("Deployment"), "spec", "template", "spec", "containers", 0);
        assertThat(at(container, "args")).isEqualTo(List.of("--ledger=kafka://k:9092", "--instance=$(POD_NAME)"));
        assertThat(all(at(container, "ports"), "name")).containsExactly("counts-udp", "counts-tcp");
        assertThat(at(container, "lifecycle", "preStop", "exec", "command")).isEqualTo(List.of("sleep", "10"));
        assertThat(map(at(objects.get("Service"), "spec")))
                .as("a pod that does not receive yet, or not any more, must get nothing")
                .doesNotContainKey("publishNotReadyAddresses");
        assertThat(at(
                        objects.get("Deployment"),
                        "spec",
                        "template",
                        "spec",
                        "topologySpreadConstraints",
                        0,
                        "labelSelector",
                        "matchLabels"))
                .isEqualTo(at(objects.get("Deployment"), "spec", "selector", "matchLabels"));
        assertThat(at(objects.get("PodDisruptionBudget"), "spec", "selector", "matchLabels"))
                .isEqualTo(at(objects.get("Deployment"), "spec", "selector", "matchLabels"));
    }

    @Test
    void large_numbers_of_a_file_stay_whole_and_what_the_chart_sets_is_refused(@TempDir Path folder) throws Exception {
        Path values = Files.writeString(folder.resolve("values.yaml"), "settings:\n  connections: 1000000\n");

        assertThat(new Helm(CHART)
                        .template()
                        .withName("counters")
                        .set("image.repository", IMAGE)
                        .withValuesFile(values)
                        .call())
                .contains("- \"--connections=1000000\"\n");
        assertThatThrownBy(() -> rendered("settings.http-port=1"))
                .hasMessageContaining("settings.http-port: the chart sets it");
        assertThatThrownBy(() -> rendered("settings.tls-certificate=/c.pem"))
                .as("the probes would fail for ever")
                .hasMessageContaining("settings.tls-ports: leave out http");
        assertThat(at(
                        rendered("settings.tls-certificate=/c.pem", "settings.tls-ports=tcp")
                                .get("StatefulSet"),
                        "spec",
                        "template",
                        "spec",
                        "containers",
                        0,
                        "args"))
                .isEqualTo(List.of("--tls-certificate=/c.pem", "--tls-ports=tcp"));
    }

    /** None is published, and a short name would be that of somebody else in a public registry. */
    @Test
    void an_image_must_be_named() {
        assertThatThrownBy(() -> new Helm(CHART).template().withName("counters").call())
                .hasMessageContaining("image.repository: set it to the image that you pushed");
    }

    @Test
    void a_load_balancer_keeps_the_addresses_of_senders() {
        Map<String, Map<String, Object>> objects = rendered("service.type=LoadBalancer");

        assertThat(at(objects.get("Service"), "spec", "externalTrafficPolicy")).isEqualTo("Local");
        assertThat(map(at(rendered().get("Service"), "spec")))
                .as("refused for ClusterIP")
                .doesNotContainKey("externalTrafficPolicy");
    }

    @Test
    void the_page_that_is_open_is_reached_by_the_names_of_the_service() {
        String names = "--http-names=counters,counters.monitoring,counters.monitoring.svc,"
                + "counters.monitoring.svc.cluster.local";

        assertThat(arguments(rendered("http.tokenSecret=s"))).contains(names);
        assertThat(arguments(rendered("http.tokenSecret=s", "settings.http-names=a.example,b.example")))
                .filteredOn(argument -> argument.startsWith("--http-names"))
                .containsExactly(names + ",a.example,b.example");
        assertThat(arguments(rendered("settings.http-names=a.example"))).containsExactly("--http-names=a.example");
    }

    private static List<String> arguments(Map<String, Map<String, Object>> objects) {
        Object arguments = at(objects.get("StatefulSet"), "spec", "template", "spec", "containers", 0, "args");
        return ((List<?>) arguments).stream().map(String::valueOf).toList();
    }

    @Test
    void prometheus_reads_with_the_token_of_a_secret() throws Exception {
        Map<String, Map<String, Object>> objects = rendered(
                "serviceMonitor.enabled=true", "serviceMonitor.labels.release=prometheus", "http.tokenSecret=counters");

        isConsistent(objects, "StatefulSet");
        Object monitor = objects.get("ServiceMonitor");
        Object container = at(objects.get("StatefulSet"), "spec", "template", "spec", "containers", 0);
        assertThat(all(at(monitor, "spec", "endpoints"), "path")).containsExactly("/metrics", "/metrics/counters");
        assertThat(at(monitor, "spec", "endpoints", 0, "authorization", "credentials", "name"))
                .isEqualTo("counters");
        assertThat(at(monitor, "metadata", "labels", "release")).isEqualTo("prometheus");
        for (int i = 0; i < 2; i++) {
            assertThat(at(monitor, "spec", "endpoints", i, "relabelings"))
                    .isEqualTo(List.of(Map.of("targetLabel", "job", "replacement", jobs().get(i))));
        }
        assertThat(arguments(objects)).startsWith("--otlp-port=4318", "--otlp-bind=0.0.0.0", "--http-bind=0.0.0.0");
        assertThat(all(at(container, "ports"), "name")).containsExactly("counts-udp", "counts-tcp", "otlp", "http");
        assertThat(all(at(container, "env"), "name")).contains("COUNTERS_TOKEN");
        assertThatThrownBy(() -> rendered("serviceMonitor.enabled=true"))
                .hasMessageContaining("serviceMonitor needs http.tokenSecret");
    }

    /** Those of the documents' configuration, for which the alerts are. */
    private static List<String> jobs() throws IOException {
        return Pattern.compile("job_name: (\\S+)")
                .matcher(Files.readString(Path.of("..", "docs", "prometheus", "prometheus.yml")))
                .results()
                .map(job -> job.group(1))
                .toList();
    }

    @Test
    void a_fleet_without_kafka_is_refused_with_the_remedy() {
        assertThatThrownBy(() -> rendered("fleet.enabled=true"))
                .hasMessageContaining("fleet.ledger: set it to kafka://HOST:PORT,HOST:PORT");
    }

    /** Whether names in one place exist in the other. */
    private static void isConsistent(Map<String, Map<String, Object>> objects, String kind) {
        Object workload = objects.get(kind);
        Object pod = at(workload, "spec", "template", "spec");
        Object container = at(pod, "containers", 0);
        Object selector = at(workload, "spec", "selector", "matchLabels");
        assertThat(at(workload, "spec", "template", "metadata", "labels")).isEqualTo(selector);
        assertThat(at(objects.get("Service"), "spec", "selector")).isEqualTo(selector);
        assertThat(at(objects.get("NetworkPolicy"), "spec", "podSelector", "matchLabels"))
                .isEqualTo(selector);
        assertThat(all(at(objects.get("Service"), "spec", "ports"), "targetPort"))
                .isEqualTo(all(at(container, "ports"), "name"));
        assertThat(all(at(objects.get("NetworkPolicy"), "spec", "ingress", 0, "ports"), "port"))
                .isEqualTo(all(at(container, "ports"), "name"));
        List<String> volumes = new ArrayList<>(all(at(pod, "volumes"), "name"));
        if (kind.equals("StatefulSet")) {
            volumes.add("ledger");
        }
        assertThat(volumes).containsExactlyInAnyOrderElementsOf(all(at(container, "volumeMounts"), "name"));
        assertThat(at(container, "securityContext", "readOnlyRootFilesystem")).isEqualTo(true);
        assertThat(at(pod, "securityContext", "runAsNonRoot")).isEqualTo(true);
        assertThat(at(pod, "enableServiceLinks")).isEqualTo(false);
    }
}
