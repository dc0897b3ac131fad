package io.counters.collector.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PeersFileTest {
    @TempDir
    Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("peers"), text);
    }

    @ParameterizedTest
    @MethodSource
    void a_valid_list_is_read(String text, String list) throws Exception {
        assertThat(PeersFile.read(file(text))).hasToString(list);
    }

    static Stream<Arguments> a_valid_list_is_read() {
        return Stream.of(
                arguments("list 1\na:1\n", "list 1 (a:1*1)"),
                arguments("a:1\nlist 1", "list 1 (a:1*1)"),
                arguments("list 2147483647\na:1", "list 2147483647 (a:1*1)"),
                arguments("list 3\nb:1\na:1*3\n", "list 3 (b:1*1;a:1*3)"),
                arguments("# ours\r\n\r\nlist 3\r\n  a:1 * 2 \r\n# b:1\r\n", "list 3 (a:1*2)"),
                arguments("list 3\na\n", "list 3 (a:11212*1)"),
                arguments(
                        "list 3\n[2001:db8::1]:7\n[2001:db8::2]\n", "list 3 ([2001:db8::1]:7*1;[2001:db8::2]:11212*1)"),
                arguments("list 3\nout b:1\na:1\ngone c:1\nout d\n", "list 3 (a:1*1;b:1*out;d:11212*out;c:1*gone)"));
    }

    @ParameterizedTest
    @MethodSource
    void an_invalid_list_is_rejected_with_the_rule(String text, String mistake) throws Exception {
        Path file = file(text);

        assertThatThrownBy(() -> PeersFile.read(file))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining(file + mistake);
    }

    static Stream<Arguments> an_invalid_list_is_rejected_with_the_rule() {
        return Stream.of(
                arguments("", " has no number; begin it with the line \"list 1\""),
                arguments("", " names no collector; add one per line, as HOST:PORT"),
                arguments("list 1\nout a:1", " names no collector"),
                arguments("a:1", " has no number"),
                arguments("list 0\na:1", " line 1 is \"list 0\": "),
                arguments("list x\na:1", " line 1 is \"list x\": "),
                arguments("list 2147483648\na:1", " line 1 is \"list 2147483648\": "),
                arguments(
                        "list 1\nlist 2\na:1",
                        " line 2 is \"list 2\": \"list\" appears twice; keep one of the two lines"),
                arguments("list 1\n\na:0", " line 3 is \"a:0\": \"a:0\" is not HOST:PORT with a port from 1 to 65535"),
                arguments(
                        "list 1\na:1*0",
                        " line 2 is \"a:1*0\": the weight of \"a:1*0\" is not a number from 1 to 1000000"),
                arguments("list 1\na:1 b:1", " line 2 is \"a:1 b:1\": "),
                arguments("list 1\nout\na:1", " line 2 is \"out\": "),
                arguments("list 1\nout a b\na:1", " line 2 is \"out a b\": "),
                arguments("list 1\na\u00e4:1", " line 2 is \""),
                arguments("list 1\na:1\na:1", ": \"a:1\" appears twice"),
                arguments("list 1\na\nA:11212", ": \"A:11212\" appears twice"),
                arguments("list 1\na:1\nout a:1", ": \"a:1\" appears twice"),
                arguments("list 1\na:1\nout b:1\ngone B:1", ": \"B:1\" appears twice"),
                arguments(
                        "list 1\na:1\nb:1*1000000", ": \"a:1\" has a weight of 1 of 1000001, so it would own no name"));
    }

    @Test
    void a_byte_order_mark_is_ignored() throws Exception {
        assertThat(PeersFile.read(file("\uFEFFlist 7\na\n")).number()).isEqualTo(7);
    }

    @Test
    void all_errors_are_reported_at_once() throws Exception {
        Path file = file("list 0\na:0\nb:1*x\n");

        assertThatThrownBy(() -> PeersFile.read(file))
                .hasMessageContainingAll("line 1 is", "line 2 is", "line 3 is", "has no number", "names no collector");
    }

    @Test
    void a_missing_file_and_a_folder_are_rejected_with_the_reason() {
        assertThatThrownBy(() -> PeersFile.read(folder.resolve("none")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("none does not exist; it must contain the list of peers");
        assertThatThrownBy(() -> PeersFile.read(folder))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining(folder + " cannot be read");
    }
}
