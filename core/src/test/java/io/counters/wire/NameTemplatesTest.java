package io.counters.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NameTemplatesTest {
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
    void characters_of_filled_in_values_are_replaced_without_a_message(
            String template, String owner, String method, String name) {
        NameTemplates names = new NameTemplates("h-1", "our app", "", log::add);

        assertThat(names.resolve(template, owner, method)).isEqualTo(name);
        assertThat(log).isEmpty();
    }

    @Test
    void two_names_that_become_one_are_logged_once() {
        NameTemplates names = new NameTemplates("host", "app", "", log::add);

        assertThat(names.resolve("", "shop/Carts", "支付")).isEqualTo("shop.Carts.__");
        assertThat(names.resolve("", "shop/Carts", "订单")).isEqualTo("shop.Carts.__");
        assertThat(names.resolve("", "shop/Carts", "订单")).isEqualTo("shop.Carts.__");
        assertThat(names.resolve("", "shop/Carts", "客户")).isEqualTo("shop.Carts.__");

        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("\"shop.Carts.支付\" and \"shop.Carts.订单\" are both counted as shop.Carts.__, because");
    }

    @Test
    void a_name_that_equals_the_cleaned_form_of_another_name_is_logged_too() {
        NameTemplates names = new NameTemplates("host", "app", "", log::add);

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
    void methods_that_share_a_name_on_purpose_are_not_logged() {
        NameTemplates names = new NameTemplates("host", "app", "", log::add);

        for (String method : List.of("open", "开", "close")) {
            names.resolve("carts,kind=a,place=b", "shop/Carts", method);
            names.resolve("carts,place=b,kind=a", "shop/Carts", method);
        }
        names.resolve("", "shop/Carts$Line", "open");
        names.resolve("", "shop/Carts$Line", "open");

        assertThat(log).isEmpty();
    }

    @Test
    void replaced_characters_of_the_template_itself_are_logged() {
        NameTemplates names = new NameTemplates("host", "app", "", log::add);

        assertThat(names.resolve("a$b c", "shop/Carts", "open")).isEqualTo("a.b_c");
        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("shop.Carts.open: \"a$b c\" is counted as a.b_c; " + Rejection.NAME_LETTER.rule());
    }

    @Test
    void an_unknown_placeholder_is_logged_with_the_nearest_known_one() {
        NameTemplates names = new NameTemplates("host", "app", "", log::add);

        assertThat(names.resolve("{klass}.{method}", "shop/Carts", "open")).isEqualTo("_klass_.open");
        assertThat(log)
                .singleElement()
                .asString()
                .contains("\"{klass}.open\" is counted as _klass_.open")
                .contains(
                        "{klass} is not a placeholder; did you mean {class}? The placeholders are {class} {simpleClass}");
    }

    @Test
    void a_default_name_has_the_tags_of_the_settings_and_a_given_name_does_not() {
        NameTemplates names = new NameTemplates("h-1", "app", "host={host},env=prod", log::add);

        assertThat(names.resolve("", "shop/Carts", "open")).isEqualTo("shop.Carts.open,env=prod,host=h-1");
        assertThat(names.resolve("carts", "shop/Carts", "open")).isEqualTo("carts");
        assertThat(log).isEmpty();
    }

    @Test
    void a_name_that_is_too_long_is_refused() {
        NameTemplates names = new NameTemplates("host", "app", "", log::add);

        assertThat(names.resolve("a".repeat(251), "shop/Carts", "open")).isNull();
        assertThat(log)
                .singleElement()
                .asString()
                .endsWith("is refused and not counted: " + Rejection.NAME_TOO_LONG.rule());
    }
}
