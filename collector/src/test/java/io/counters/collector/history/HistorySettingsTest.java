package io.counters.collector.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HistorySettingsTest {
    private static final long HEAP = 512 << 20;

    private static HistorySettings read(Map<CollectorFlag, String> given, long heap) throws SettingsException {
        Settings settings = new Settings(given, Map.of());
        HistorySettings history = HistorySettings.from(settings, Path.of("data"), heap, 10);
        settings.check();
        return history;
    }

    @Test
    void by_default_there_are_48_hours_30_days_and_2_years_of_20000_counters() throws Exception {
        assertThat(read(Map.of(), HEAP))
                .isEqualTo(new HistorySettings(
                        Path.of("data", "history.db"), 10, 48 * 3600, 30 * 86_400, 730 * 86_400, 2L << 30, 20_000));
    }

    @Test
    void a_small_heap_allows_fewer_counters() throws Exception {
        assertThat(read(Map.of(), 64 << 20).countersMax()).isBetween(1000, 10_000);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "5m, 300", "9999h, 35996400", "1d, 86400", "2y, 63072000"})
    void durations(String text, long seconds) throws Exception {
        assertThat(read(Map.of(CollectorFlag.HISTORY_HOURS, text), HEAP).hoursSeconds())
                .isEqualTo(seconds);
    }

    @ParameterizedTest
    @CsvSource({
        "HISTORY_TICKS, 48, '--history-ticks is 48, allowed are 0 for none'",
        "HISTORY_MINUTES, 0d, '--history-minutes is 0d, allowed are'",
        "HISTORY_HOURS, 2w, '--history-hours is 2w, allowed are'",
        "HISTORY_BYTES, 15m, '--history-bytes is 15m, allowed are 16m to 9999g'",
        "HISTORY_BYTES, 2, '--history-bytes is 2, allowed are'",
        "HISTORY_COUNTERS, many, '--history-counters is many, allowed are whole numbers from 0 to 1000000'",
    })
    void a_wrong_value_is_reported_with_its_rule(CollectorFlag setting, String text, String told) {
        SettingsException mistakes =
                catchThrowableOfType(SettingsException.class, () -> read(Map.of(setting, text), HEAP));

        assertThat(mistakes.mistakes().toString()).contains(told);
    }
}
