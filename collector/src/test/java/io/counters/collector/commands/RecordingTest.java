package io.counters.collector.commands;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordingTest {
    @TempDir
    Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("recording"), text, ISO_8859_1);
    }

    private static List<String> read(Recording.Reader reader) throws IOException {
        List<String> read = new ArrayList<>();
        for (Recording.Datagram next = reader.next(); next != null; next = reader.next()) {
            read.add(next.millis() + " " + new String(next.bytes(), ISO_8859_1));
        }
        return read;
    }

    @Test
    void the_recording_of_text_is_text() throws Exception {
        Path file = folder.resolve("recording");
        try (Recording.Writer writer = new Recording.Writer(file)) {
            writer.write(5000, "increment a\n".getBytes(ISO_8859_1));
            writer.write(5250, "b:1|c".getBytes(ISO_8859_1));
            // The clock was set back.
            writer.write(4000, new byte[0]);
            writer.flush();
            assertThat(writer.bytes()).isEqualTo(Files.size(file));
        }

        assertThat(file).hasContent("counters-recording 1\n0 12\nincrement a\n\n250 5\nb:1|c\n0 0\n\n");
        assertThatThrownBy(() -> new Recording.Writer(file)).isInstanceOf(IOException.class);
    }

    @Test
    void any_bytes_are_read_as_they_were_written() throws Exception {
        for (long seed = 1; seed <= 100; seed++) {
            Random random = new Random(seed);
            Path file = folder.resolve("recording" + seed);
            List<String> written = new ArrayList<>();
            try (Recording.Writer writer = new Recording.Writer(file)) {
                for (int i = random.nextInt(20); i >= 0; i--) {
                    byte[] bytes = new byte[random.nextInt(300)];
                    random.nextBytes(bytes);
                    writer.write(7, bytes);
                    written.add("0 " + new String(bytes, ISO_8859_1));
                }
            }

            try (Recording.Reader reader = new Recording.Reader(file)) {
                assertThat(read(reader)).as("seed " + seed).isEqualTo(written);
                assertThat(reader.isCut()).isFalse();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "5 ", "5 3", "5 3\n", "5 3\na", "5 3\nabc"})
    void a_file_that_ends_within_a_datagram_is_read_up_to_it(String end) throws Exception {
        try (Recording.Reader reader = new Recording.Reader(file("counters-recording 1\n0 1\na\n" + end))) {
            assertThat(read(reader)).containsExactly("0 a");
            assertThat(reader.isCut()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x\n", "5 -1\n\n", "5 65508\n", "5 1\nabc\n", "5  1\na\n", "1234567890123456 1\na\n"})
    void a_damaged_file_is_refused_with_the_place(String damage) throws Exception {
        try (Recording.Reader reader = new Recording.Reader(file("counters-recording 1\n0 1\na\n" + damage))) {
            assertThatThrownBy(() -> read(reader))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("is damaged after datagram 1: MILLIS LENGTH, the datagram");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "counters", "increment a\n", "\u001b[31m\n"})
    void a_file_that_is_not_a_recording_is_refused(String text) throws Exception {
        Path file = file(text);

        assertThatThrownBy(() -> new Recording.Reader(file))
                .hasMessage(file + " is not a recording: its first line must be counters-recording 1");
    }

    @Test
    void a_recording_of_another_version_is_refused() throws Exception {
        Path file = file("counters-recording 2\n");

        assertThatThrownBy(() -> new Recording.Reader(file))
                .hasMessage(file + " is a recording of another version, counters-recording 2; this one reads"
                        + " counters-recording 1");
    }
}
