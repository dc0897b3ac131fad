package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VictoriaMetricsIT {
    @Test
    void points_can_be_read_back_by_second_at_once(@TempDir Path folder) throws Exception {
        try (VictoriaMetrics metrics = VictoriaMetrics.start(folder)) {
            long second = Instant.now().getEpochSecond() / 10 * 10 - 20;
            put(metrics, "stock.balance", second, "-5", "host=shop");
            put(metrics, "stock.balance", second + 10, "9007199254740991", "host=shop");
            put(metrics, "payments.tried", second, "3", "method=card");
            put(metrics, "payments.tried", second, "4", "method=invoice");

            await().untilAsserted(() -> {
                assertThat(metrics.points("stock.balance"))
                        .isEqualTo(Map.of(second, -5L, second + 10, 9_007_199_254_740_991L));
                assertThat(metrics.points("payments.tried,method=invoice")).isEqualTo(Map.of(second, 4L));
            });
            assertThat(metrics.points("never.counted")).isEmpty();
            assertThatThrownBy(() -> metrics.points("payments.tried"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("more than one series");
        }
    }

    private static void put(VictoriaMetrics metrics, String metric, long second, String value, String tag)
            throws Exception {
        String[] pair = tag.split("=", -1);
        String json = String.format(
                "[{\"metric\":\"%s\",\"timestamp\":%d,\"value\":%s,\"tags\":{\"%s\":\"%s\"}}]",
                metric, second, value, pair[0], pair[1]);
        HttpRequest request = HttpRequest.newBuilder(URI.create(metrics.address() + "/api/put"))
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(204);
    }
}
