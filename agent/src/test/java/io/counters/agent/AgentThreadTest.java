package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
import io.counters.agent.weave.Rules;
import io.counters.agent.weave.Weaving;
import io.counters.wire.NameTemplates;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The agent's thread, with a clock that the test sets. */
class AgentThreadTest {
    private static final long BEGAN = -5;

    /** Reports no loaded class. */
    private static final Instrumentation NOTHING_LOADED = (Instrumentation) Proxy.newProxyInstance(
            AgentThreadTest.class.getClassLoader(),
            new Class<?>[] {Instrumentation.class},
            (proxy, method, arguments) -> new Class<?>[0]);

    @TempDir
    Path folder = Path.of("");

    private final Log log = new Log();
    private Path file = Path.of("");

    @BeforeEach
    void logToAFile() {
        file = folder.resolve("counters.conf");
        log.to(folder.resolve("agent.log").toString());
    }

    @Test
    void the_report_is_logged_once_after_a_minute() {
        AgentThread thread = watch(read("collector=127.0.0.1:9"));

        assertThat(thread.round(BEGAN)).isEqualTo(seconds(60));
        assertThat(thread.round(BEGAN + seconds(60) - 1)).isEqualTo(1);
        assertThat(log.said()).isEmpty();
        assertThat(thread.round(BEGAN + seconds(60))).isGreaterThan(seconds(1_000_000));

        assertThat(log.said())
                .isEqualTo(
                        "counters: after a minute: classes scanned: 0, methods instrumented: 0, refused @Count and rules: 0,"
                                + " errors suppressed while instrumenting: 0; nothing to send yet");
        thread.round(BEGAN + seconds(120));
        assertThat(log.said().lines()).hasSize(1);
    }

    @Test
    void the_settings_file_is_checked_every_five_seconds() throws Exception {
        Files.writeString(file, "methods = a.B#c\n");
        Settings settings = read("collector=127.0.0.1:9,settings=" + file);
        AgentThread thread = watch(settings);
        Files.writeString(file, "methods = a.B#c\nmethods = a.B#d\n");

        assertThat(thread.round(BEGAN + seconds(5) - 1)).isEqualTo(1);
        assertThat(log.said()).isEmpty();
        assertThat(thread.round(BEGAN + seconds(5))).isEqualTo(seconds(5));

        assertThat(log.said()).contains("settings " + file + " of ", ": 2 rules, loaded classes updated: 0");
    }

    @Test
    void an_error_in_the_file_is_logged_once_and_the_rest_of_the_file_is_not_applied() throws Exception {
        Files.writeString(file, "methods = a.B#c\n");
        AgentThread thread = watch(read("collector=127.0.0.1:9,settings=" + file));
        Files.writeString(file, "method = a.B#c\nmethods = a.B#d\n");

        for (int look = 1; look < 10; look++) {
            thread.round(BEGAN + seconds(5L * look));
        }

        assertThat(log.said().lines())
                .hasSize(2)
                .anyMatch(line -> line.contains("line 1: method is not a setting; did you mean methods="))
                .anyMatch(line -> line.contains("the file has errors; the agent keeps its settings"));
    }

    @Test
    void enabled_off_takes_effect_even_in_a_file_with_an_error() throws Exception {
        Files.writeString(file, "methods = a.B#c\n");
        AgentThread thread = watch(read("collector=127.0.0.1:9,settings=" + file));
        Files.writeString(file, "method = a.B#c\nenabled = off\n");

        thread.round(BEGAN + seconds(5));
        thread.round(BEGAN + seconds(10));

        assertThat(log.said().lines()).hasSize(2).anyMatch(line -> line.contains("Only enabled = false takes effect"));
    }

    @Test
    void an_error_at_the_start_does_not_prevent_later_changes() throws Exception {
        Files.writeString(file, "");
        AgentThread thread = watch(read("sweep=often,collector=127.0.0.1:9,settings=" + file));
        Files.writeString(file, "enabled = off\n");

        thread.round(BEGAN + seconds(5));

        assertThat(log.said().lines()).singleElement().asString().contains("enabled is false");
    }

    @Test
    void a_changed_file_with_the_same_values_is_not_logged() throws Exception {
        Files.writeString(file, "methods = a.B#c\n");
        AgentThread thread = watch(read("collector=127.0.0.1:9,settings=" + file));
        Files.writeString(file, "# the same\n\nmethods = a.B#c\nenabled = true\n");

        thread.round(BEGAN + seconds(5));

        assertThat(log.said()).isEmpty();
    }

    private AgentThread watch(Settings settings) {
        BridgeActivation counting = new BridgeActivation(NOTHING_LOADED, settings.emitter(), settings.sends(), log);
        NameTemplates names = new NameTemplates("host", "app", "", log);
        Weaving weaving = new Weaving(Rules.read(settings, log), names, counting, counting, log);
        LoadedClasses loaded = new LoadedClasses(NOTHING_LOADED, weaving, counting, log);
        String live = settings.file();
        return new AgentThread(
                weaving,
                counting,
                loaded,
                live == null ? null : new LiveSettings(settings, live, weaving, loaded, log),
                log,
                BEGAN);
    }

    private static Settings read(String arguments) {
        return Settings.read(arguments, new Properties(), Map.of());
    }

    private static long seconds(long seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }
}
