package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The shop must not notice what is wrong with its counting. */
class HostIT {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "collector=127.0.0.1:1                      | nobody listens there",
                "collector=no-such-host.invalid             | does not resolve",
                "collector=localhost:port                   | collector",
                "sweep=often                                | sweep",
                "collektor=127.0.0.1:1,collector=127.0.0.1  | collektor",
                "methods=Warehouse                          | Warehouse",
                "settings=no/such/file                      | no/such/file",
            })
    void the_shop_runs_on_with_one_line_of_complaint(String settings, String complaint) throws Exception {
        try (Program shop = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=" + settings + ",sweep=100ms",
                "-jar",
                Jars.shop().toString(),
                "--orders",
                "100"))) {
            assertThat(shop.awaitEnd()).as("%s", shop).isZero();
            assertThat(shop.output()).contains("orders.placed 100");
            assertThat(shop.output()).noneMatch(line -> line.startsWith("counters:"));
            assertThat(shop.errors()).filteredOn(line -> line.contains(complaint)).as("%s", shop).hasSize(1);
            assertThat(shop.errors()).as("%s", shop).hasSizeLessThanOrEqualTo(2);
        }
    }
}
