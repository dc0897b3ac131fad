package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.testsupport.Program;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

class ShopJarIT {
    @Test
    void the_jar_places_a_number_of_orders_and_prints_its_tally() throws Exception {
        try (Program shop = Program.java("-jar", Jars.shop().toString(), "--orders", "50", "--threads", "3")) {
            assertThat(shop.awaitEnd()).isZero();
            assertThat(shop.output()).contains("orders.placed 50", "warehouse.picked 50", "labels.printed 100");
            assertThat(shop.output()).allMatch(line -> line.matches("[a-z_.,=]+ -?\\d+"));
            assertThat(shop.errors()).isEmpty();
        }
    }

    @Test
    void the_jar_serves_pages_until_it_is_stopped() throws Exception {
        try (Program shop = Program.java("-jar", Jars.shop().toString(), "--port", "0")) {
            String address = shop.awaitLine("listening on (\\S+)").group(1);

            HttpResponse<String> page = HttpClient.newHttpClient()
                    .send(HttpRequest.newBuilder(URI.create(address)).build(), HttpResponse.BodyHandlers.ofString());

            assertThat(page.body()).contains("A small shop");
            assertThat(shop.stop()).isEqualTo(143);
            assertThat(shop.errors()).isEmpty();
        }
    }

    @Test
    void the_jar_has_our_license_and_notice() throws Exception {
        try (JarFile jar = new JarFile(Jars.shop().toFile())) {
            assertThat(jar.getEntry("META-INF/LICENSE")).isNotNull();
            assertThat(jar.getEntry("META-INF/NOTICE")).isNotNull();
        }
    }

    @Test
    void a_jar_that_is_not_built_is_reported_by_name_with_the_remedy() {
        assertThatThrownBy(() -> Jars.built("target/nothing.jar"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("nothing.jar is missing")
                .hasMessageContaining("mvn package");
    }
}
