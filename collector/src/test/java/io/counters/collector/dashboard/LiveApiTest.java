package io.counters.collector.dashboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.fleet.FleetView;
import io.counters.collector.http.Text;
import io.counters.collector.ledger.KeptLedger;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LiveApiTest {
    private static final CounterQuery ALL = new CounterQuery(List.of(), List.of(), CounterQuery.Sort.NAME, false);

    @TempDir
    Path folder;

    private KeptLedger kept;
    private LiveApi live;
    private List<String> troubles = List.of();
    private long nanos = 1;

    @BeforeEach
    void open() throws IOException {
        kept = new KeptLedger(folder, false);
        HealthPanel panel = new HealthPanel(
                kept.ledger,
                kept.metrics,
                kept.said.log(),
                () -> troubles,
                () -> List.of(new PartState("store", Optional.of("it is down"), 77)),
                () -> FleetView.NONE);
        live = new LiveApi(kept.ledger, panel, () -> nanos, () -> 1_700_000_000);
    }

    @AfterEach
    void close() throws IOException {
        kept.close();
    }

    private void count(String lines) {
        kept.datagram(lines);
        kept.commit.run();
    }

    /** Advances the clock by half a second, and runs one round. */
    private void round() {
        nanos += TimeUnit.MILLISECONDS.toNanos(500);
        live.run();
    }

    private Text tab(CounterQuery query, int from, int rows, String... watched) {
        return live.window(new TabWindow.Key(query, from, rows, List.of(watched), false))
                .events();
    }

    private static String next(Text tab) {
        StringBuilder out = new StringBuilder();
        assertThat(tab.append(out)).isFalse();
        return out.toString();
    }

    @Test
    void a_tab_gets_its_rows_and_then_only_what_changes_in_them() {
        count("increment a 1\nincrement b 2\nincrement c 3\nincrement d 4");
        Text tab = tab(ALL, 1, 2, "d");

        assertThat(next(tab))
                .contains("event: rows\ndata: {\"total\":4,\"found\":4,\"from\":1,\"watched\":1,\"rows\":"
                        + "[[\"b\",\"2\",null,")
                .contains("[\"c\",\"3\",null,", "[\"d\",\"4\",null,")
                .doesNotContain("\"a\"");
        round();
        assertThat(next(tab)).contains("[0,\"2\",0,", "[1,\"3\",0,", "[2,\"4\",0,");
        count("increment a 5\nincrement c 5");
        round();

        assertThat(next(tab)).isEqualTo("event: change\ndata: [[1,\"8\",5.0,1700000000]]\n\n");
        count("increment a 5");
        round();
        assertThat(next(tab))
                .doesNotContain("event: rows")
                .doesNotContain("[0,")
                .contains("[1,\"8\",3.33,");
    }

    @Test
    void a_tab_is_told_the_collectors_clock_once() {
        count("increment a");
        Text tab = tab(ALL, 0, 10);

        assertThat(next(tab)).startsWith("event: now\ndata: 1700000000\n\nevent: rows\n");
        count("increment a");
        round();
        assertThat(next(tab)).contains("event: change").doesNotContain("event: now");
    }

    @Test
    void nothing_is_sent_while_nothing_moves() {
        count("increment a");
        Text tab = tab(ALL, 0, 10);
        next(tab);
        round();
        next(tab);

        round();

        assertThat(next(tab)).isEmpty();
    }

    @Test
    void a_tab_that_missed_a_round_gets_everything() {
        count("increment a");
        Text slow = tab(ALL, 0, 10);
        next(slow);
        for (int i = 0; i < 3; i++) {
            count("increment a");
            round();
        }

        assertThat(next(slow)).startsWith("event: rows\n").contains("[\"a\",\"4\",");
    }

    @Test
    void a_new_counter_appears_in_its_place_and_a_watched_one_when_it_exists() {
        count("increment b");
        Text tab = tab(ALL, 0, 10, "a");
        assertThat(next(tab)).contains("\"watched\":0");

        count("increment a 3");
        round();

        assertThat(next(tab)).contains("\"found\":2", "\"watched\":1,\"rows\":[[\"a\",\"3\",", "],[\"b\",\"1\",");
    }

    @Test
    void counters_are_searched_by_parts_and_tags_and_sorted() {
        count(
                "increment Orders.placed,method=card 5\nincrement orders.placed,method=cash 7\nincrement orders.cardinal 9\n"
                        + "increment carts,method=card 1");
        CounterQuery search = new CounterQuery(List.of("order", "card"), List.of(), CounterQuery.Sort.VALUE, true);
        CounterQuery tagged = new CounterQuery(List.of(), List.of("method=card"), CounterQuery.Sort.NAME, true);
        CounterQuery any = new CounterQuery(List.of("placed"), List.of("method="), CounterQuery.Sort.VALUE, false);

        assertThat(next(tab(search, 0, 9)))
                .contains(
                        "\"found\":2",
                        "\"rows\":[[\"orders.cardinal\",\"9\"",
                        "],[\"Orders.placed,method=card\",\"5\"");
        assertThat(next(tab(tagged, 0, 9)))
                .contains("\"found\":2", "\"rows\":[[\"carts,method=card\",", "],[\"Orders.placed,method=card\",");
        assertThat(next(tab(any, 0, 9)))
                .contains("\"rows\":[[\"Orders.placed,method=card\",\"5\"", "],[\"orders.placed,method=cash\",\"7\"");
    }

    @Test
    void counters_sorted_by_rate_have_the_fastest_first() {
        count("increment a 1\nincrement b 1\nincrement c 1");
        Text tab = tab(new CounterQuery(List.of(), List.of(), CounterQuery.Sort.RATE, true), 0, 2);
        next(tab);
        for (int i = 0; i < 6; i++) {
            count("increment c 5\nincrement b 1");
            round();
        }
        next(tab);

        count("increment c 5");
        round();
        assertThat(next(tab)).doesNotContain("\"a\"");
        assertThat(next(tab(new CounterQuery(List.of(), List.of(), CounterQuery.Sort.RATE, true), 0, 2)))
                .contains("\"rows\":[[\"c\",\"36\",10.0,", "],[\"b\",\"7\",");
    }

    @Test
    void tabs_that_show_the_same_share_one_window() {
        count("increment a");

        TabWindow one = live.window(new TabWindow.Key(ALL, 0, 20, List.of(), false));

        assertThat(live.window(new TabWindow.Key(ALL, 0, 20, List.of(), false))).isSameAs(one);
        assertThat(live.window(new TabWindow.Key(ALL, 20, 20, List.of(), false)).view)
                .isSameAs(one.view);
    }

    @Test
    void unused_windows_are_forgotten_and_their_number_is_limited() {
        count("increment a");
        TabWindow one = live.window(new TabWindow.Key(ALL, 0, 20, List.of(), false));
        for (int i = 1; i < 500; i++) {
            live.window(new TabWindow.Key(ALL, 20 * i, 20, List.of(), false));
        }
        assertThatThrownBy(() -> live.window(new TabWindow.Key(ALL, 1, 20, List.of(), false)))
                .hasMessageContaining("500 lists");

        for (int i = 0; i < 40; i++) {
            round();
        }

        assertThat(live.window(new TabWindow.Key(ALL, 0, 20, List.of(), false))).isNotSameAs(one);
    }

    @Test
    void a_window_that_is_about_to_be_forgotten_stays_for_a_tab_that_asks_for_it() {
        count("increment a");
        tab(ALL, 0, 20);
        for (int i = 0; i < 30; i++) {
            round();
        }

        Text late = tab(ALL, 0, 20);
        next(late);
        round();
        count("increment a");
        round();

        assertThat(next(late)).contains("[0,\"2\",");
    }

    @Test
    void problems_are_sent_when_they_change_and_the_panel_only_to_tabs_that_show_it() {
        count("increment a");
        Text tab = tab(ALL, 0, 1);
        Text panel = live.window(new TabWindow.Key(ALL, 0, 1, List.of(), true)).events();
        assertThat(next(tab))
                .contains("event: troubles\ndata: {\"troubles\":[]")
                .doesNotContain("event: panel");
        assertThat(next(panel)).contains("event: panel\n", "\"trouble\":\"it is down\",\"since\":77");

        troubles = List.of("the disk is full");
        round();
        round();

        assertThat(next(tab)).contains("{\"troubles\":[\"the disk is full\"]");
    }
}
