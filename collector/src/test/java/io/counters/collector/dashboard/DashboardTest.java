package io.counters.collector.dashboard;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.LineSender;
import io.counters.collector.fleet.FleetView;
import io.counters.collector.fleet.Member;
import io.counters.collector.history.History;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.http.Browser;
import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.ledger.Snapshot;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.helpers.NOPLogger;

@Tag("once")
class DashboardTest {
    private static final long NOW = 1_700_000_005;

    private final HttpClient http = HttpClient.newHttpClient();

    @TempDir
    Path folder;

    private volatile List<String> hangs = List.of();
    private volatile List<String> troubles = List.of();
    private volatile FleetView fleet = FleetView.NONE;
    private KeptLedger kept;
    private History history;
    private Dashboard dashboard;

    @BeforeEach
    void open() throws IOException {
        kept = new KeptLedger(folder, false);
        history = new History(history(folder, 100), kept.said.log(), kept.metrics);
        dashboard = dashboard(0);
        dashboard.start();
    }

    static HistorySettings history(Path folder, int counters) {
        return new HistorySettings(
                folder.resolve("history.db"), 10, 172_800, 30 * 86_400, 2 * 365 * 86_400L, 1 << 30, counters);
    }

    private Dashboard dashboard(int port) throws IOException {
        return dashboard(port, kept.said.log());
    }

    private Dashboard dashboard(int port, FaultLog faults) throws IOException {
        return new Dashboard(
                new DashboardSettings(port),
                kept.ledger,
                kept.commit::run,
                history,
                kept.metrics,
                () -> hangs,
                () -> troubles,
                () -> List.of(new PartState("store", Optional.of("it does not answer"), NOW)),
                () -> fleet,
                () -> 11212,
                () -> Instant.ofEpochSecond(NOW),
                System::nanoTime,
                faults,
                Thread::new,
                List.of());
    }

    @AfterEach
    void close() throws IOException {
        dashboard.close();
        history.close();
        kept.close();
    }

    private HttpResponse<String> askFor(String type, String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + dashboard.address().getPort() + path);
        return http.send(HttpRequest.newBuilder(uri).header("Accept", type).build(), ofString());
    }

    private HttpResponse<String> ask(String method, String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + dashboard.address().getPort() + path);
        return http.send(
                HttpRequest.newBuilder(uri)
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                ofString());
    }

    private static String type(HttpResponse<String> response) {
        return response.headers().firstValue("Content-Type").orElse("");
    }

    @Test
    void a_counter_of_another_collector_of_the_fleet_is_told_with_its_owner() throws Exception {
        FleetView view = new FleetView("here", 4, List.of());
        String mine = name(view, 0);
        String others = name(view, 1);
        String nobodys = name(view, 2);
        fleet = new FleetView(
                "here",
                4,
                List.of(
                        new Member("here", "10.0.0.1", 11213, Set.of(0)),
                        new Member("there", "10.0.0.1", 11313, Set.of(1, 3))));
        kept.datagram("increment " + mine + "\n");
        kept.commit.run();

        assertThat(ask("GET", "/api/counters/" + mine).statusCode()).isEqualTo(200);
        assertThat(ask("GET", "/api/counters/" + name(view, 0) + "-not").body()).contains("there is no counter");
        HttpResponse<String> answer = ask("GET", "/api/counters/" + others);
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).contains("partition 1 of the fleet", "its owner is there", "http://127.0.0.1:11313/");
        assertThat(ask("GET", "/api/counters/" + nobodys).body()).contains("partition 2", "not known");
    }

    private static String name(FleetView view, int partition) {
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> "name" + i)
                .filter(name -> view.partition(name) == partition && view.partition(name + "-not") == partition)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void nothing_is_changed_by_get() throws Exception {
        kept.datagram("increment a 7\n");
        kept.commit.run();
        List<String> paths = Pattern.compile("(?:[A-Z]+ )?(/[^ ,\n]*)")
                .matcher(ask("GET", "/none").body())
                .results()
                .map(path -> path.group(1).replace("*", "a"))
                .filter(path -> !path.equals("/api/live"))
                .distinct()
                .toList();
        assertThat(paths).hasSizeGreaterThan(15).contains("/api/counters/a");

        for (String path : paths) {
            assertThat(ask("GET", path).statusCode()).as(path).isNotEqualTo(500);
            assertThat(ask("HEAD", path).statusCode()).as(path).isNotEqualTo(500);
        }

        kept.commit.run();
        assertThat(kept.values()).isEqualTo(Map.of("a", 7L));
        assertThat(ask("DELETE", "/api/counters/a").statusCode())
                .as("what does")
                .isEqualTo(200);
        assertThat(kept.value("a")).isZero();
    }

    @Test
    void the_page_is_served() throws Exception {
        HttpResponse<String> page = ask("GET", "/");

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(type(page)).isEqualTo("text/html; charset=utf-8");
        assertThat(page.body()).contains("<html", "main.js", "page.css");
        for (String file : List.of("main.js", "list.js", "live.js", "charts.js", "panel.js", "explain.js")) {
            HttpResponse<String> script = ask("GET", "/" + file);
            assertThat(script.statusCode()).as(file).isEqualTo(200);
            assertThat(type(script)).isEqualTo("text/javascript; charset=utf-8");
            assertThat(script.body()).doesNotContain("innerHTML", "http://", "https://");
        }
        assertThat(type(ask("GET", "/page.css"))).isEqualTo("text/css; charset=utf-8");
    }

    @Test
    void a_browser_that_asks_for_the_usual_name_of_an_icon_gets_the_pages() throws Exception {
        HttpResponse<String> usual = ask("GET", "/favicon.ico");

        assertThat(usual.statusCode()).isEqualTo(200);
        assertThat(type(usual)).isEqualTo("image/svg+xml");
        assertThat(usual.body()).isNotEmpty().isEqualTo(ask("GET", "/icon.svg").body());
    }

    @Test
    void the_page_may_load_only_its_own_files() throws Exception {
        HttpResponse<String> page = ask("GET", "/");

        assertThat(page.headers().firstValue("Content-Security-Policy").orElse(""))
                .startsWith("default-src 'none'; script-src 'self';");
        assertThat(page.body()).doesNotContainPattern("<script>|<style|style=|https?://|onclick");
    }

    @Test
    void the_page_knows_a_remedy_for_everything_that_is_told_as_a_loss() throws Exception {
        List<String> known = Pattern.compile("(?m)^  (\\w+_total): \\['[^']+', '[^']+'],$")
                .matcher(ask("GET", "/panel.js").body())
                .results()
                .map(row -> row.group(1))
                .toList();

        assertThat(known).containsExactlyInAnyOrderElementsOf(HealthPanel.LOSSES);
    }

    @Test
    void the_library_that_draws_graphs_is_served_from_its_jar() throws Exception {
        assertThat(ask("GET", "/uplot.js").body()).startsWith("/*! https://github.com/leeoniya/uPlot (v1.6.30) */");
        assertThat(ask("GET", "/uplot.css").body()).contains(".u-wrap");
    }

    @Test
    void counters_are_listed_by_name_with_exact_values() throws Exception {
        assertThat(ask("GET", "/api/counters").body()).isEqualTo("{\"counters\": [\n]}\n");
        kept.datagram("increment b.z 9007199254740992\nincrement b.z\ndecrement a,x=1,y=2 5\nincrement B 0");
        kept.commit.run();

        HttpResponse<String> counters = ask("GET", "/api/counters");

        assertThat(type(counters)).isEqualTo("application/json");
        assertThat(counters.body()).isEqualTo("""
                {"counters": [
                {"name": "B", "value": 0},
                {"name": "a,x=1,y=2", "value": -5},
                {"name": "b.z", "value": 9007199254740993}
                ]}
                """);
    }

    private List<String> names(String path) throws Exception {
        return Pattern.compile("\"name\": \"(.*?)\"")
                .matcher(ask("GET", path).body())
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    @Test
    void counters_are_found_by_prefix_and_by_any_part_in_any_case() throws Exception {
        kept.datagram("increment Orders.placed,method=card\nincrement orders.placed,method=cash\nincrement carts\n"
                + "increment reorders");
        kept.commit.run();

        assertThat(names("/api/counters?prefix=orders")).containsExactly("orders.placed,method=cash");
        assertThat(names("/api/counters?q=ORDERS"))
                .containsExactly("Orders.placed,method=card", "orders.placed,method=cash", "reorders");
        assertThat(names("/api/counters?q=method%3Dca"))
                .containsExactly("Orders.placed,method=card", "orders.placed,method=cash");
        assertThat(names("/api/counters?q=ards")).isEmpty();
        assertThat(names("/api/counters?prefix=re&q=order")).containsExactly("reorders");
    }

    @Test
    void a_long_list_is_read_page_by_page() throws Exception {
        for (int i = 0; i < 25; i++) {
            kept.datagram("increment c" + (char) ('a' + i));
        }
        kept.commit.run();

        String first = ask("GET", "/api/counters?limit=10").body();
        List<String> all = new ArrayList<>(names("/api/counters?limit=10"));
        all.addAll(names("/api/counters?limit=10&after=cj"));
        all.addAll(names("/api/counters?limit=10&after=ct"));

        assertThat(first).endsWith("], \"next\": \"cj\"}\n");
        assertThat(ask("GET", "/api/counters?limit=5&after=ct").body()).endsWith("\n]}\n");
        assertThat(all).isEqualTo(names("/api/counters")).hasSize(25);
    }

    @Test
    void a_wrong_parameter_is_an_error_in_json() throws Exception {
        for (String query : List.of("limit=0", "limit=x", "prefx=a", "q=a&q=b")) {
            HttpResponse<String> refused = ask("GET", "/api/counters?" + query);

            assertThat(refused.statusCode()).as(query).isEqualTo(400);
            assertThat(refused.body()).startsWith("{\"error\":{\"code\":400,\"message\":\"");
        }
    }

    @Test
    void a_counter_is_found_by_its_name_with_tags_in_any_order() throws Exception {
        kept.datagram("increment a/b.c,x=1,y=2 7\nincrement plain");
        kept.commit.run();
        String expected = "{\"name\": \"a/b.c,x=1,y=2\", \"metric\": \"a/b.c\", \"tags\": {\"x\": \"1\", \"y\": \"2\"},"
                + " \"value\": 7}\n";

        for (String name : List.of("a/b.c,x=1,y=2", "a%2Fb.c%2Cx%3D1%2Cy%3D2", "a/b.c,y=2,x=1")) {
            HttpResponse<String> counter = ask("GET", "/api/counters/" + name);
            assertThat(type(counter)).isEqualTo("application/json");
            assertThat(counter.body()).isEqualTo(expected);
        }
        assertThat(ask("GET", "/api/counters/plain").body())
                .isEqualTo("{\"name\": \"plain\", \"metric\": \"plain\", \"tags\": {}, \"value\": 1}\n");
    }

    @Test
    void an_unknown_counter_is_404_with_similar_names() throws Exception {
        kept.datagram("increment orders.placed\nincrement orders.refused\nincrement carts.open\nincrement stock");
        kept.commit.run();

        HttpResponse<String> typo = ask("GET", "/api/counters/Orders.plced");
        HttpResponse<String> far = ask("GET", "/api/counters/zzz");

        assertThat(typo.statusCode()).isEqualTo(404);
        assertThat(typo.body())
                .startsWith("{\"error\":{\"code\":404,\"message\":\"there is no counter Orders.plced here;"
                        + " similar names: orders.placed and orders.refused. ");
        assertThat(far.body()).contains("there is no counter zzz here. ", "/api/counters?q=");
    }

    @Test
    void similar_names_are_few_and_the_most_similar_comes_first() {
        List<String> known = List.of("ab1", "abc2", "abcd9", "abcde", "abcdf", "xabcde", "other");
        Snapshot snapshot = new Snapshot(known.toArray(String[]::new), new long[known.size()], known.size());

        assertThat(CountersApi.nearest("abcdE", snapshot)).containsExactly("abcde", "abcd9", "abcdf");
        assertThat(CountersApi.nearest("q", snapshot)).isEmpty();
    }

    @Test
    void an_invalid_name_is_400_with_the_rule() throws Exception {
        HttpResponse<String> refused = ask("GET", "/api/counters/a%20b");

        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body()).contains("no counter can have the name \\\"a b\\\": a name consists of A-Z");
    }

    @Test
    void a_counter_is_not_shown_before_it_is_committed() throws Exception {
        kept.datagram("increment a");
        assertThat(ask("GET", "/api/counters/a").statusCode()).isEqualTo(404);

        kept.commit.run();

        assertThat(ask("GET", "/api/counters/a").statusCode()).isEqualTo(200);
    }

    @Test
    void a_counter_is_explained_by_its_senders_and_the_rest() throws Exception {
        kept.wallSeconds = NOW - 60;
        kept.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement a/b,x=1 5 5\ndecrement a/b,x=1 1 1");
        kept.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 2000 3\nincrement a/b,x=1 1 8");
        kept.datagram("increment a/b,x=1 100");
        kept.commit.run();

        HttpResponse<String> answer = ask("GET", "/api/counters/a%2Fb,x=1/explain");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body())
                .isEqualTo(String.join(
                        ", ",
                        "{\"name\": \"a/b,x=1\", \"metric\": \"a/b\", \"tags\": {\"x\": \"1\"}, \"value\": 107, \"committed\": 107",
                        "\"created\": 1699999945, \"moved\": 1699999945, \"decremented\": true, \"adopted\": 0, \"rest\": 100",
                        "\"senders\": [{\"sender\": \"8f2c6a1e0b7d4c93a5e1f07b\", \"increments\": 8, \"decrements\": 1",
                        "\"applied\": 7, \"quiet_seconds\": 0, \"lost\": 1, \"healed\": 2, \"whole\": true, \"quarantined\": false}]",
                        "\"senders_left_out\": 0, \"applied_left_out\": 0}\n"));
    }

    @Test
    void times_that_are_not_known_are_null() throws Exception {
        kept.datagram("increment a");
        kept.commit.run();

        assertThat(ask("GET", "/api/counters/a/explain").body()).contains("\"created\": null, \"moved\": null,");
    }

    @Test
    void a_removed_counter_is_gone_and_the_answer_says_what_was_removed() throws Exception {
        kept.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement a,x=1,y=2 5 5\nincrement b 2");
        kept.commit.run();

        HttpResponse<String> removed = ask("DELETE", "/api/counters/a,y=2,x=1");

        assertThat(removed.statusCode()).isEqualTo(200);
        assertThat(removed.body())
                .isEqualTo("{\"name\": \"a,x=1,y=2\", \"value\": 5, \"pushed\": false, \"watermarks\": 1}\n");
        assertThat(names("/api/counters")).containsExactly("b");
        for (String path : new String[] {"", "/explain", "/history"}) {
            assertThat(ask("GET", "/api/counters/a,x=1,y=2" + path).statusCode())
                    .as(path)
                    .isEqualTo(404);
        }
        assertThat(ask("DELETE", "/api/counters/a,x=1,y=2").statusCode())
                .as("again")
                .isEqualTo(404);
        assertThat(ask("DELETE", "/api/counters/no%20name").statusCode()).isEqualTo(400);
    }

    @Test
    void a_removal_that_is_not_on_disk_is_503_with_the_reason() throws Exception {
        kept.datagram("increment a");
        kept.commit.run();
        kept.close();

        HttpResponse<String> removed = ask("DELETE", "/api/counters/a");

        assertThat(removed.statusCode()).isEqualTo(503);
        assertThat(removed.body()).contains("counter a is removed, but this is not on disk yet");
    }

    @Test
    void removals_that_wait_for_a_disk_that_hangs_delay_nothing_else() throws Exception {
        kept.datagram("increment a\nincrement b\nincrement c");
        kept.commit.run();
        List<CompletableFuture<HttpResponse<String>>> removals = new ArrayList<>();

        // As a commit does that hangs.
        synchronized (kept.commit) {
            for (String name : List.of("a", "b")) {
                URI uri = URI.create("http://127.0.0.1:" + dashboard.address().getPort() + "/api/counters/" + name);
                removals.add(http.sendAsync(HttpRequest.newBuilder(uri).DELETE().build(), ofString()));
            }
            await().until(() -> kept.ledger.size() == 1);

            for (String path :
                    List.of("/metrics", "/api/counters/c", "/api/counters", "/metrics/counters", "/api/streams")) {
                assertThat(ask("GET", path).statusCode()).as(path).isEqualTo(200);
            }
            assertThat(removals).noneMatch(CompletableFuture::isDone);
        }

        for (CompletableFuture<HttpResponse<String>> removal : removals) {
            assertThat(removal.get().statusCode()).isEqualTo(200);
        }
    }

    @Test
    void uncommitted_values_are_not_shown() throws Exception {
        kept.datagram("increment a");

        assertThat(ask("GET", "/api/counters").body()).doesNotContain("name");
    }

    @Test
    void the_rows_that_are_found_are_a_file_of_either_format() throws Exception {
        kept.datagram("increment b,x=1 2\ndecrement a\nincrement other");
        kept.commit.run();
        String csv = "name,value\n\"a\",-1\n\"b,x=1\",2\n\"other\",1\n";

        assertThat(ask("GET", "/api/rows?q=x&format=json").body())
                .isEqualTo("[\n{\"name\": \"b,x=1\", \"value\": 2}\n]\n");
        assertThat(ask("GET", "/api/rows?format=csv").body()).isEqualTo(csv);
        assertThat(askFor("text/csv", "/api/rows").body()).isEqualTo(csv);
        assertThat(ask("GET", "/api/rows?q=none").body()).isEqualTo("[\n]\n");
        assertThat(ask("GET", "/api/rows?q=none&format=csv").body()).isEqualTo("name,value\n");
        HttpResponse<String> refused = ask("GET", "/api/rows?format=xml");
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body()).contains("the parameter format is \\\"xml\\\"; it must be json or csv");
    }

    /** A tick each 10 s, up to now. */
    private void past(String name, long... values) {
        for (int i = 0; i < values.length; i++) {
            long second = NOW - 5 - 10L * (values.length - 1 - i);
            history.put(second, new Snapshot(new String[] {name}, new long[] {values[i]}, 1));
        }
    }

    @Test
    void the_history_of_a_counter_is_available_as_json_and_csv() throws Exception {
        past("a/b,x=1", 1, 1, 4);
        String csv = "second,value\n1699999980,1\n1699999990,1\n1700000000,4\n";

        HttpResponse<String> json = ask("GET", "/api/counters/a%2Fb,x=1/history");
        HttpResponse<String> asked = ask("GET", "/api/counters/a/b,x=1/history?format=csv");
        HttpResponse<String> accepted = http.send(
                HttpRequest.newBuilder(json.uri()).header("Accept", "text/csv").build(), ofString());

        assertThat(json.body())
                .isEqualTo("{\"name\": \"a/b,x=1\", \"from\": 1699996405, \"to\": 1700000005, \"step\": 10,"
                        + " \"samples\": [[1699999980, 1], [1699999990, 1], [1700000000, 4]]}\n");
        assertThat(type(json)).isEqualTo("application/json");
        assertThat(asked.body()).isEqualTo(csv);
        assertThat(type(asked)).isEqualTo("text/csv; charset=utf-8");
        assertThat(accepted.body()).isEqualTo(csv);
    }

    @Test
    void the_history_is_limited_by_times_and_thinned_by_a_step() throws Exception {
        past("a", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        String path = "/api/counters/a/history?format=csv&";

        assertThat(ask("GET", path + "from=-35s&to=-10s").body())
                .isEqualTo("second,value\n1699999970,6\n1699999980,7\n1699999990,8\n");
        assertThat(ask("GET", path + "from=1699999970&to=1699999980").body())
                .isEqualTo("second,value\n1699999970,6\n1699999980,7\n");
        assertThat(ask("GET", path + "step=30").body())
                .isEqualTo("second,value\n1699999910,0\n1699999940,3\n1699999970,6\n1700000000,9\n");
        assertThat(ask("GET", path + "step=30").body())
                .isEqualTo(ask("GET", path + "step=30s").body());
        assertThat(ask("GET", path + "from=-5m&to=-4m").body()).isEqualTo("second,value\n");
    }

    @Test
    void a_counter_without_history_has_no_samples_and_one_that_left_the_ledger_keeps_them() throws Exception {
        kept.datagram("increment new");
        kept.commit.run();
        past("left", 5);

        assertThat(ask("GET", "/api/counters/new/history").body()).endsWith("\"samples\": []}\n");
        assertThat(ask("GET", "/api/counters/left/history").body()).endsWith("\"samples\": [[1700000000, 5]]}\n");
        assertThat(ask("GET", "/api/counters/left/history?from=0&to=10&step=1h").statusCode())
                .isEqualTo(200);
        assertThat(ask("GET", "/api/counters/nww/history").statusCode()).isEqualTo(404);
        assertThat(ask("GET", "/api/counters/nww/history").body()).contains("similar names: new");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "from=yesterday|the parameter from is 'yesterday'; it must be Unix seconds, now, or a time ago such as",
                "to=1h|the parameter to is '1h'; it must be Unix seconds, now",
                "from=-1y|the parameter from is '-1y'",
                "from=now&to=-1h|from is 1700000005 and to is 1699996405, in Unix seconds; from must not be later",
                "step=0|the parameter step is '0'; it must be a time above 0 in seconds, or one such as 30s, 5m or 1h",
                "step=-1|the parameter step is '-1'",
                "step=99999999999|the parameter step is '99999999999'",
                "from=-30d&step=10|step is 10 s, and there would be up to 259200 samples",
                "format=xml|the parameter format is 'xml'; it must be json or csv",
                "form=-1h|the parameter 'form' is unknown; /api/counters/a/history takes format, from, step, to",
            },
            quoteCharacter = '`')
    void a_wrong_range_is_400_with_place_value_and_rule(String query, String message) throws Exception {
        past("a", 1);

        HttpResponse<String> refused = ask("GET", "/api/counters/a/history?" + query);

        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body()).contains(message.replace("'", "\\\""));
    }

    @Test
    void metrics_are_lines_in_prometheus_format() throws Exception {
        kept.metrics
                .count("intake_rejected_lines_total", "Lines that were rejected, by reason.", "reason", "name_letter")
                .add(3);

        HttpResponse<String> metrics = ask("GET", "/metrics");

        assertThat(type(metrics)).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
        assertThat(metrics.body()).contains("""
                        # HELP counters_ledger_counters Counters in the ledger.
                        # TYPE counters_ledger_counters gauge
                        counters_ledger_counters 0.0
                        """).contains("""
                        # TYPE counters_intake_rejected_lines_total counter
                        counters_intake_rejected_lines_total{reason="name_letter"} 3.0
                        """);
    }

    @Test
    void metrics_are_also_in_open_metrics() throws Exception {
        HttpResponse<String> metrics =
                askFor("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "/metrics");

        assertThat(type(metrics)).isEqualTo("application/openmetrics-text; version=1.0.0; charset=utf-8");
        assertThat(metrics.body())
                .contains("# TYPE counters_ledger_commits counter\n")
                .contains("\ncounters_ledger_commits_total 0.0\n")
                .endsWith("# EOF\n");
    }

    @Test
    void counters_are_metrics_and_those_that_were_decremented_are_gauges() throws Exception {
        kept.wallSeconds = 1_700_000_000;
        kept.datagram("increment orders.placed,method=card 3\nincrement carts.open 2\ndecrement carts.open 1");
        kept.commit.run();

        HttpResponse<String> metrics = ask("GET", "/metrics/counters");

        assertThat(type(metrics)).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
        assertThat(metrics.body()).isEqualTo("""
                        # HELP carts_open The counter carts.open.
                        # TYPE carts_open gauge
                        carts_open 1
                        # HELP orders_placed_total The counter orders.placed.
                        # TYPE orders_placed_total counter
                        orders_placed_total{method="card"} 3
                        """);
    }

    @Test
    void counters_in_open_metrics_have_the_time_of_their_creation() throws Exception {
        kept.wallSeconds = 1_700_000_000;
        kept.datagram("increment orders.placed,method=card 3\nincrement visits");
        kept.commit.run();
        HttpResponse<String> metrics =
                askFor("application/openmetrics-text;version=1.0.0", "/metrics/counters?match=orders.*");

        assertThat(type(metrics)).isEqualTo("application/openmetrics-text; version=1.0.0; charset=utf-8");
        assertThat(metrics.body()).isEqualTo("""
                        # HELP orders_placed The counter orders.placed.
                        # TYPE orders_placed counter
                        orders_placed_total{method="card"} 3
                        orders_placed_created{method="card"} 1700000000
                        # EOF
                        """);
    }

    @Test
    void a_pattern_that_no_name_can_match_is_refused() throws Exception {
        HttpResponse<String> refused = ask("GET", "/metrics/counters?match=orders,method%3Dcard");

        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body())
                .startsWith("the parameter match is \"orders,method=card\"; it must be a counter's name without tags");
    }

    @Test
    void counters_that_are_equal_for_prometheus_are_counted() throws Exception {
        kept.datagram("increment orders.placed\nincrement orders_placed\nincrement a,x.y=1,x-y=1");
        kept.commit.run();

        ask("GET", "/metrics/counters?match=none");

        assertThat(kept.counted("prometheus_collisions")).isEqualTo(2);
    }

    @Test
    void health_is_ok_while_there_is_no_problem() throws Exception {
        for (String path : List.of("/healthz", "/readyz")) {
            HttpResponse<String> well = ask("GET", path);

            assertThat(well.statusCode()).isEqualTo(200);
            assertThat(well.body()).isEqualTo("ok\n");
        }
    }

    @Test
    void health_lists_each_problem_on_a_line() throws Exception {
        troubles = List.of("the last commit was 12 s ago", "the store does not answer");

        HttpResponse<String> unready = ask("GET", "/readyz");

        assertThat(unready.statusCode()).isEqualTo(503);
        assertThat(unready.body()).isEqualTo("the last commit was 12 s ago\nthe store does not answer\n");
        assertThat(ask("GET", "/healthz").statusCode()).isEqualTo(200);

        hangs = List.of("it hangs");

        assertThat(ask("GET", "/healthz").statusCode()).isEqualTo(503);
        assertThat(ask("GET", "/healthz").body()).isEqualTo("it hangs\n");
    }

    @Test
    void health_and_page_are_answered_while_another_thread_holds_the_ledgers_lock() throws Exception {
        List<Browser> waiting = new ArrayList<>();
        synchronized (kept.ledger) {
            for (String path : List.of("/api/counters", "/api/counters", "/api/streams", "/metrics", "/metrics")) {
                Browser browser = new Browser(dashboard.address());
                waiting.add(browser.ask("GET", path));
            }
            // Not by metrics(), because some metrics need the lock.
            await().until(() -> kept.metrics
                            .count("http_requests_total", "HTTP requests received.")
                            .sum()
                    == 5);

            assertThat(ask("GET", "/healthz").body()).isEqualTo("ok\n");
            assertThat(ask("GET", "/").statusCode()).isEqualTo(200);
        }
        for (Browser browser : waiting) {
            assertThat(browser.reply().status()).isEqualTo(200);
            browser.close();
        }
    }

    @Test
    void a_stream_that_copies_continue_is_marked() throws Exception {
        kept.datagram(stream(7, 1) + "increment a 5 5");
        kept.datagram(stream(7, 2) + "increment a 1 1");

        assertThat(ask("GET", "/api/streams").body()).contains("\"cloned\": true");
    }

    @Test
    void streams_are_at_most_a_thousand_with_the_largest_loss_first() throws Exception {
        assertThat(ask("GET", "/api/streams").body()).isEqualTo("[\n\n]\n");
        kept.datagram(stream(7, 3) + "increment a 1 1");

        HttpResponse<String> streams = ask("GET", "/api/streams");

        assertThat(type(streams)).isEqualTo("application/json");
        assertThat(streams.body())
                .isEqualTo("[\n{\"sender\": \"00000000000000000000000000000007\", \"counters\": 1, \"sent\": 3,"
                        + " \"received\": 1, \"repeated\": 0, \"lost\": 2, \"healed\": 0, \"quiet_seconds\": 0,"
                        + " \"whole\": true, \"quarantined\": false, \"cloned\": false, \"split\": false}\n]\n");

        for (int i = 1000; i < 2100; i++) {
            kept.datagram(stream(i, i) + "increment a 1 1");
        }
        List<String> lines = ask("GET", "/api/streams").body().lines().toList();
        assertThat(lines).hasSize(1002);
        assertThat(lines.get(1)).contains("\"sent\": 2099,").endsWith("},");
        assertThat(lines.get(1000)).contains("\"sent\": 1100,").endsWith("}");
    }

    /** A UDP sender on this machine. */
    private record Stranger(int port) implements LineSender {
        @Override
        public String protocol() {
            return "UDP";
        }

        @Override
        public long addressKey() {
            return AddressKey.ipv4(0x7f00_0001);
        }

        @Override
        public String text() {
            return "127.0.0.1:" + port;
        }
    }

    @Test
    void rejected_lines_are_an_array_of_reasons_with_the_latest_line_of_each_sender() throws Exception {
        assertThat(ask("GET", "/api/rejected").body()).isEqualTo("[\n\n]\n");
        FaultLog faults = new FaultLog(NOPLogger.NOP_LOGGER, () -> 0);
        byte[] noise = "g:1|g".getBytes(UTF_8);
        byte[] odd = "\"\\\t:1|c".getBytes(UTF_8);
        try (Dashboard own = dashboard(0, faults)) {
            own.start();
            faults.rejected(
                    "statsd_type", "only counters", new Stranger(1), 1000, noise, 0, noise.length, () -> "noise");
            faults.rejected("name_letter", "a \\n", new Stranger(2), 1, odd, 0, odd.length, () -> "odd");

            HttpResponse<String> rejected = http.send(
                    HttpRequest.newBuilder(URI.create(
                                    "http://127.0.0.1:" + own.address().getPort() + "/api/rejected"))
                            .build(),
                    ofString());

            assertThat(type(rejected)).isEqualTo("application/json");
            assertThat(rejected.body())
                    .isEqualTo("[\n{\"reason\": \"statsd_type\", \"rule\": \"only counters\", \"lines\": 1000,"
                            + " \"examples\": [{\"sender\": \"UDP from 127.0.0.1:1\", \"lines\": 1000,"
                            + " \"seconds_ago\": 0, \"line\": \"g:1|g\"}]},\n"
                            + "{\"reason\": \"name_letter\", \"rule\": \"a \\\\n\", \"lines\": 1,"
                            + " \"examples\": [{\"sender\": \"UDP from 127.0.0.1:2\", \"lines\": 1,"
                            + " \"seconds_ago\": 0, \"line\": \"\\\"\\\\?:1|c\"}]}\n]\n");
        }
    }

    private static String stream(int id, int seq) {
        return String.format("from %032x 0 %d\n", id, seq);
    }

    @Test
    void other_sites_cannot_read_it_by_dns_rebinding() throws Exception {
        for (String path :
                List.of("/", "/api/counters", "/api/streams", "/api/rejected", "/metrics", "/healthz", "/readyz")) {
            try (Browser browser = new Browser(dashboard.address())) {
                assertThat(browser.send("GET " + path + " HTTP/1.1\r\nHost: evil.example\r\n\r\n")
                                .reply()
                                .status())
                        .isEqualTo(421);
            }
        }
    }

    @Test
    void any_number_of_counters_is_sorted_by_name() {
        Random random = new Random(7);
        for (int size : new int[] {0, 1, 2, 3, 7, 64, 1000, 4097}) {
            NavigableMap<String, Long> sorted = new TreeMap<>();
            while (sorted.size() < size) {
                sorted.put("c" + random.nextInt(100_000), random.nextLong());
            }
            List<String> names = new ArrayList<>(sorted.keySet());
            Collections.shuffle(names, random);
            Snapshot snapshot = new Snapshot(
                    names.toArray(new String[size + 3]),
                    names.stream().mapToLong(sorted::get).toArray(),
                    size);
            StringBuilder text = new StringBuilder();
            CountersText counters = new CountersText(snapshot, new CountersText.Filter("", "", ""), size + 1);
            boolean more = true;
            while (more) {
                more = counters.append(text);
            }

            assertThat(text.toString()).isEqualTo(json(sorted));
        }
    }

    private static String json(NavigableMap<String, Long> counters) {
        return counters.entrySet().stream()
                .map(counter -> "\n{\"name\": \"" + counter.getKey() + "\", \"value\": " + counter.getValue() + "}")
                .collect(Collectors.joining(",", "{\"counters\": [", "\n]}\n"));
    }

    @Test
    @Tag("slow")
    void many_counters_that_several_clients_read_at_once_need_little_memory() throws Exception {
        int size = 200_000;
        Process small = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx96m",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ManyCounters.class.getName(),
                        folder.resolve("many").toString(),
                        "" + size)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader said = new BufferedReader(new InputStreamReader(small.getInputStream(), UTF_8))) {
            InetSocketAddress address =
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(said.readLine()));
            NavigableMap<String, Long> all = new TreeMap<>();
            for (int i = 0; i < size; i++) {
                all.put(ManyCounters.name(i), (long) i);
            }
            String expected = json(all);

            ExecutorService readers = Executors.newFixedThreadPool(6);
            List<Future<Boolean>> equal = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                equal.add(readers.submit(() -> {
                    try (Browser browser = new Browser(address)) {
                        return browser.ask("GET", "/api/counters")
                                .reply()
                                .body()
                                .equals(expected);
                    }
                }));
            }
            readers.shutdown();

            for (Future<Boolean> each : equal) {
                assertThat(each.get()).isTrue();
            }
            assertThat(small.isAlive()).isTrue();
        } finally {
            small.destroyForcibly().waitFor();
        }
    }

    @Test
    void an_unknown_path_is_404_and_lists_the_paths() throws Exception {
        HttpResponse<String> nothing = ask("GET", "/api/none");

        assertThat(nothing.statusCode()).isEqualTo(404);
        assertThat(nothing.body()).contains("/api/counters");
    }

    @Test
    void only_the_removal_of_a_counter_changes_anything() throws Exception {
        for (String method : new String[] {"POST", "PUT", "DELETE"}) {
            HttpResponse<String> refused = ask(method, "/api/counters");

            assertThat(refused.statusCode()).isEqualTo(405);
            assertThat(refused.headers().firstValue("Allow")).contains("GET, HEAD");
        }
    }

    @Test
    void head_has_no_body() throws Exception {
        HttpResponse<String> head = ask("HEAD", "/");

        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(type(head)).startsWith("text/html");
        assertThat(head.body()).isEmpty();
    }

    @Test
    void the_page_listens_on_loopback_only_and_a_port_in_use_is_reported_with_the_remedy() {
        assertThat(dashboard.address().getAddress().isLoopbackAddress()).isTrue();
        assertThatThrownBy(() -> dashboard(dashboard.address().getPort()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("use --http-port for another port");
    }
}
