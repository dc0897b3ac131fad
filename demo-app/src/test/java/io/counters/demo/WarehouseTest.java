package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class WarehouseTest {
    @Test
    void the_warehouse_always_owes_something_but_never_more_than_its_limit() {
        Warehouse warehouse = new Warehouse();
        int balance = 0;

        for (int order = 0; order < 1000; order++) {
            int pieces = 1 + order % 70;
            balance += warehouse.pick(pieces) - pieces;
            assertThat(balance).isBetween(-Warehouse.OWED_MAX - 70, -1);
        }
    }

    @Test
    void the_rule_in_the_settings_file_names_an_existing_method_without_annotation() throws Exception {
        String settings = Files.readString(Path.of("shop.counters"));
        Matcher rule = Pattern.compile("(?m)^methods = (\\S+)#(\\S+) = warehouse.picked$")
                .matcher(settings);

        assertThat(rule.find()).isTrue();
        assertThat(Arrays.stream(Class.forName(rule.group(1)).getDeclaredMethods()))
                .filteredOn(method -> method.getName().equals(rule.group(2)))
                .singleElement()
                .satisfies(method -> assertThat(method.getAnnotations()).isEmpty());
    }
}
