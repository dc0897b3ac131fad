package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.junit.jupiter.api.Test;

class TopicRulesTest {
    private final Topics topics = Topics.of("counters");
    private final TopicRules rules = new TopicRules(topics, 1 << 30);

    private List<String> remarks(String topic, Map<String, String> settings) {
        FleetReport.Problems found = new FleetReport.Problems();
        Config config = new Config(settings.entrySet().stream()
                .map(each -> new ConfigEntry(each.getKey(), each.getValue()))
                .toList());
        rules.checkSettings(new TopicDescription(topic, false, List.of()), config, found);
        assertThat(found.faults).isEmpty();
        return found.remarks.stream().map(FleetReport.Problem::toString).toList();
    }

    @Test
    void a_topic_that_refuses_lines_of_some_age_or_of_a_clock_that_is_a_little_ahead_is_remarked_on() {
        Map<String, String> narrow =
                Map.of("message.timestamp.before.max.ms", "3600000", "message.timestamp.after.max.ms", "1000");

        assertThat(remarks(topics.lines(), narrow))
                .hasSize(2)
                .anyMatch(text -> text.contains("message.timestamp.before.max.ms=3600000, at least 86400000"))
                .anyMatch(text -> text.contains("message.timestamp.after.max.ms=1000, at least 60000"));
        assertThat(remarks(topics.ticks(), narrow)).isEmpty();
    }

    @Test
    void the_times_that_brokers_allow_by_default_are_not_remarked_on() {
        assertThat(remarks(
                        topics.lines(),
                        Map.of(
                                "message.timestamp.before.max.ms",
                                Long.toString(Long.MAX_VALUE),
                                "message.timestamp.after.max.ms",
                                "3600000")))
                .isEmpty();
    }
}
