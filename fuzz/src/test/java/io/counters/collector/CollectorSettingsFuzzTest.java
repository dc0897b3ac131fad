package io.counters.collector;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.SettingFlags;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The collector's settings, after a letter: as an INI file (f), as flags (a) or as variables of the environment (e), one on each
 * line. Settings that are refused are refused with messages; of all others each is in effect, and none that was not given.
 */
@Tag("once")
@Tag("slow")
class CollectorSettingsFuzzTest {
    private static final String SECRET = "Zebra-4711-Zebra-4711";
    private static final Pattern OF_SECRET =
            Pattern.compile("(?i)(COUNTERS_)?(TOKEN|STORE_PASSWORD)(\\s*=.*|_FILE\\s*=\\s*" + SECRET + ")");
    private static final Pattern PLACE =
            Pattern.compile("(collector\\.ini line \\d+|--[a-z-]+|variable COUNTERS_[A-Z_]+)\\b.*", Pattern.DOTALL);

    @TempDir
    static Path folder = Path.of("");

    static Stream<byte[]> seeds() {
        return Stream.of(
                        "f[collector]\n# ours\n; and\n\nudp_port = 0\nbind = 127.0.0.1\ninterval=2s\nprefix = shop.\n",
                        "f\uFEFFtoken = " + SECRET + "\r\nstore_password=" + SECRET
                                + "\r\nstore = redis://h:6379/1\r\n",
                        "ftoken = " + SECRET + " " + SECRET + "\nudp-port=1\nconfig = a\nno\nudp_port=1\nudp_port=2\n",
                        "fallow = udp:10.0.0.0/8,fd00::/8\ntags = dc=fra\nsink = stdout,otlp:http://u:p@h:1/x?y=z\n",
                        "fopentsdb = http://h:4242\nopentsdb_body=64m\nspool = 1m\nidle=9999h\ndrop_tags = a,b\n",
                        "fnames_memory = 100%\nstreams_memory=15%\nnew_names=1%\nhistory_ticks=0\nhistory_bytes=16m\n",
                        "fledger = kafka://h:9092,g:9092\ninstance = a\nfleet_partitions = 1024\nkafka_settings = x\n",
                        "fotlp_port = 4318\notlp_bind = ::1\notlp_tags = *\notlp_memory=32m\nhttp_names = counters.x\n",
                        "fkeys=\ntls_certificate = a\ntls_ports=tcp,\nhttp_bind=0.0.0.0\npeers = a\n",
                        "a--udp-port=70000\n--bind\n127.0.0.1\n--sink=none\n--unknown\n--token=x",
                        "a--history-counters=0\n--tcp-idle=1m\n--unix=/tmp/x\n--statsd-names=strict",
                        "eCOUNTERS_PORT=1\nCOUNTERS_UDP_PORT=\nPATH=/bin\nCOUNTERS_TOKEN=" + SECRET
                                + "\nCOUNTERS_STORE=couchbase://h/b\nCOUNTERS_PEERS=a")
                .map(text -> text.getBytes(UTF_8));
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "udp_port=",
        "tcp_port=",
        "token=",
        "token_file=",
        "store=memcached://",
        "store_password_file=",
        "redis://",
        "couchbase://",
        "kafka://",
        "http_port=",
        "http_names=",
        "allow=",
        "sink=",
        "prometheus:http://",
        "tags=",
        "interval=",
        "history_ticks=",
        "names_memory=",
        "otlp_port=",
        "COUNTERS_",
        "--opentsdb=",
        "9999y",
        "100%",
        "9223372036854775807"
    })
    @FuzzTest(maxDuration = "10s")
    void settings_are_in_effect_or_refused_with_messages(byte[] bytes) throws IOException {
        if (bytes.length == 0) {
            return;
        }
        byte[] content = Arrays.copyOfRange(bytes, 1, bytes.length);
        List<String> lines = new String(content, UTF_8).lines().toList();
        Map<CollectorFlag, String> expected = new EnumMap<>(CollectorFlag.class);
        Settings settings;
        if (bytes[0] == 'a') {
            try {
                expected.putAll(flags(lines));
            } catch (CommandLine.ParameterException refused) {
                assertThat(refused.getMessage()).isNotBlank();
                return;
            }
            if (expected.containsKey(CollectorFlag.CONFIG)) {
                return;
            }
            settings = new Settings(expected, Map.of());
        } else if (bytes[0] == 'e') {
            Map<String, String> variables = variables(lines);
            if (variables.containsKey(CollectorFlag.CONFIG.variable())) {
                return;
            }
            given(variables, CollectorFlag::variable).forEach((setting, text) -> {
                if (!text.isEmpty()) {
                    expected.put(setting, text);
                }
            });
            settings = new Settings(Map.of(), variables);
        } else {
            Path file = Files.write(folder.resolve("collector.ini"), content);
            expected.putAll(given(variables(lines), CollectorFlag::key));
            expected.put(CollectorFlag.CONFIG, file.toString());
            settings = new Settings(Map.of(CollectorFlag.CONFIG, file.toString()), Map.of());
        }

        boolean isSecret = lines.stream()
                .filter(line -> line.contains(SECRET))
                .allMatch(line ->
                        OF_SECRET.matcher(line.replace("\uFEFF", "").strip()).matches());
        try {
            CollectorSettings all = CollectorSettings.of(settings);
            for (CollectorFlag setting : CollectorFlag.values()) {
                assertThat(settings.isGiven(setting)).as("%s", setting).isEqualTo(expected.containsKey(setting));
                String text = expected.getOrDefault(setting, setting.defaultText());
                if (!text.isEmpty()) {
                    String value = settings.get(setting, given -> given);
                    assertThat(value).as("%s", setting).isEqualTo(text);
                }
            }
            assertThat(isSecret && all.toString().contains(SECRET)).isFalse();
        } catch (SettingsException refused) {
            assertThat(refused.mistakes())
                    .isNotEmpty()
                    .allMatch(mistake -> PLACE.matcher(mistake).matches());
            assertThat(isSecret && String.valueOf(refused.getMessage()).contains(SECRET))
                    .isFalse();
        }
        assertThat(settings.remarks()).allMatch(remark -> !isSecret || !remark.contains(SECRET));
    }

    /** As a command line has them. */
    private static Map<CollectorFlag, String> flags(List<String> words) {
        CommandSpec command = CommandSpec.create();
        SettingFlags.addTo(command);
        return SettingFlags.of(
                new CommandLine(command).setExpandAtFiles(false).parseArgs(words.toArray(String[]::new)));
    }

    /** Lines {@code NAME = VALUE}; the last of several with a name. */
    private static Map<String, String> variables(List<String> lines) {
        Map<String, String> variables = new HashMap<>();
        for (String line : lines) {
            int equals = line.indexOf('=');
            if (equals >= 0) {
                String name = line.substring(0, equals).replace("\uFEFF", "").strip();
                variables.put(name, line.substring(equals + 1).strip());
            }
        }
        return variables;
    }

    private static Map<CollectorFlag, String> given(
            Map<String, String> variables, Function<CollectorFlag, String> spelling) {
        Map<CollectorFlag, String> given = new EnumMap<>(CollectorFlag.class);
        for (CollectorFlag setting : CollectorFlag.values()) {
            String text = variables.get(spelling.apply(setting));
            if (text != null) {
                given.put(setting, text);
            }
        }
        return given;
    }
}
