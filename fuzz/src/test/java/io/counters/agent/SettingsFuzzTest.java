package io.counters.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.instrument.ClassFileTransformer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

/** The agent's settings, as a file or, after the letter a, as arguments. The agent must never end the host's start. */
@Tag("once")
@Tag("slow")
class SettingsFuzzTest {
    @TempDir
    static Path folder = Path.of("");

    private final AgentClasses agent = new AgentClasses();

    SettingsFuzzTest() throws Exception {
        // For the field.
    }

    @SuppressWarnings("StringConcatToTextBlock") // A seed is one line here.
    static Stream<byte[]> seeds() {
        return Stream.of(
                        "fcollector = counters.example:11212\napp = shop\nsweep = 4s\ndatagram = 600\ntotals = off\n",
                        "fmethods = io.counters.demo.Warehouse#pick = warehouse.picked; *Worker#get*; @a.B\n"
                                + "inherit=on\n",
                        "falias = io.micrometer.core.annotation.Counted\nmetaAnnotations = a.B\nruleLimit=9\n",
                        "fmethods = +java.util.List#add(int,java.lang.String) = {class}.{method} exit\n",
                        "acollector='h1*3; h2:1',app=x,tags=env=prod,methods='a.B#c;d.E#f = {app}.g,k=v throw'",
                        "\u0000\uFEFFcollector = h\r\n")
                .map(text -> text.getBytes(UTF_8));
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "collector=",
        "methods=",
        "alias=",
        "metaAnnotations=",
        "sweep=",
        "tags=",
        "ruleLimit=",
        "{class}.{method}",
        "*#*",
        "**",
        "+a.B",
        "(..)",
        " exit"
    })
    @FuzzTest(maxDuration = "10s")
    void any_settings_are_read_and_each_error_is_a_message(byte[] bytes) throws Exception {
        if (bytes.length == 0) {
            return;
        }
        byte[] text = Arrays.copyOfRange(bytes, 1, bytes.length);
        Object settings = bytes[0] == 'a'
                ? agent.settings(new String(text, UTF_8))
                : agent.settings("settings=" + Files.write(folder.resolve("counters.conf"), text));
        List<String> said = new ArrayList<>();

        ClassFileTransformer weaving = agent.weaving(settings, String::length, said::add);

        assertThat(settings.getClass().getMethod("effective").invoke(settings)).isNotNull();
        // The rules are compared with every class that the host loads.
        byte[] shop = AgentClasses.bytes(SettingsFuzzTest.class);
        weaving.transform(null, "com/example/shop/Warehouse$Inner", null, null, shop);
        assertThat((String) weaving.getClass().getMethod("summary").invoke(weaving))
                .as("%s", said)
                .contains("errors suppressed while instrumenting: 0");
    }
}
