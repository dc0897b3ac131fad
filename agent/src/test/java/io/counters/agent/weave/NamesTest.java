package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NamesTest {
    private final List<String> log = new ArrayList<>();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | shop/Carts | open | shop.Carts.open",
                "'' | shop/Carts$Line | access$plus | shop.Carts.Line.access.plus",
                "'' | Carts | <init> | Carts.new",
                "'' | shop/Größe | with spaces | shop.Gr__e.with_spaces",
                "{simpleClass}.{method} | shop/Carts$Line | a | Carts.Line.a",
                "{package},host={host},app={app} | shop/Carts | a | shop,app=our_app,host=h-1"
            })
    void what_is_filled_in_becomes_a_name_without_a_word(String template, String owner, String method, String name) {
        Names names = new Names("h-1", "our app", "", log::add);

        assertThat(names.resolve(template, owner, method)).isEqualTo(name);
        assertThat(log).isEmpty();
    }

    @Test
    void two_names_that_become_one_by_it_are_said_once() {
        Names names = new Names("host", "app", "", log::add);

        assertThat(names.resolve("", "shop/Carts", "支付")).isEqualTo("shop.Carts.__");
        assertThat(names.resolve("", "shop/Carts", "订单")).isEqualTo("shop.Carts.__");
        assertThat(names.resolve("", "shop/Carts", "订单")).isEqualTo("shop.Carts.__");
        assertThat(names.resolve("", "shop/Carts", "客户")).isEqualTo("shop.Carts.__");

        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("\"shop.Carts.支付\" and \"shop.Carts.订单\" are both counted as shop.Carts.__, since a name");
    }

    @Test
    void one_that_is_written_as_another_becomes_is_said_too() {
        Names names = new Names("host", "app", "", log::add);

        names.resolve("", "shop/Carts", "a_b");
        names.resolve("", "shop/Carts", "aéb");
        names.resolve("", "shop/Carts$Line", "open");
        names.resolve("shop.Carts.Line.open", "shop/Other", "open");

        assertThat(log)
                .satisfiesExactly(
                        first -> assertThat(first).contains("shop.Carts.a_b\" and \"shop.Carts.aéb"),
                        second -> assertThat(second).contains("shop.Carts$Line.open\" and \"shop.Carts.Line.open"));
    }

    @Test
    void methods_that_share_a_name_on_purpose_are_not_said() {
        Names names = new Names("host", "app", "", log::add);

        for (String method : List.of("open", "开", "close")) {
            names.resolve("carts,kind=a,place=b", "shop/Carts", method);
            names.resolve("carts,place=b,kind=a", "shop/Carts", method);
        }
        names.resolve("", "shop/Carts$Line", "open");
        names.resolve("", "shop/Carts$Line", "open");

        assertThat(log).isEmpty();
    }

    @Test
    void what_a_template_itself_cannot_have_is_said() {
        Names names = new Names("host", "app", "", log::add);

        assertThat(names.resolve("a$b c", "shop/Carts", "open")).isEqualTo("a.b_c");
        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("shop.Carts.open: \"a$b c\" is counted as a.b_c; a name consists of A-Z");
    }

    @Test
    void a_placeholder_that_is_none_is_said_with_the_nearest() {
        Names names = new Names("host", "app", "", log::add);

        assertThat(names.resolve("{klass}.{method}", "shop/Carts", "open")).isEqualTo("_klass_.open");
        assertThat(log)
                .singleElement()
                .asString()
                .contains("\"{klass}.open\" is counted as _klass_.open")
                .contains(
                        "{klass} is no placeholder, write {class} perhaps; there are {class} {simpleClass} {package}");
    }

    @Test
    void a_name_that_is_left_out_carries_the_tags_and_one_that_is_given_does_not() {
        Names names = new Names("h-1", "app", "host={host},env=prod", log::add);

        assertThat(names.resolve("", "shop/Carts", "open")).isEqualTo("shop.Carts.open,env=prod,host=h-1");
        assertThat(names.resolve("carts", "shop/Carts", "open")).isEqualTo("carts");
        assertThat(log).isEmpty();
    }

    @Test
    void a_name_that_is_too_long_is_refused() {
        Names names = new Names("host", "app", "", log::add);

        assertThat(names.resolve("a".repeat(251), "shop/Carts", "open")).isNull();
        assertThat(log)
                .singleElement()
                .asString()
                .endsWith("is refused and not counted: a name has at most 250 bytes," + " including its tags");
    }
}
