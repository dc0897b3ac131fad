package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.intake.KeySettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

/** The file of keys, as the collector reads it. The model is a pattern for a line. */
@Tag("once")
@Tag("slow")
class KeyLinesFuzzTest {
    private static final Pattern LINE = Pattern.compile(
            "([A-Za-z0-9_./-]{1,32})[ \\t]+((?:[0-9A-Fa-f]{2}){16,64})(?:[ \\t]+prefix=([A-Za-z0-9_./-]{1,250}))?");
    private static final Pattern SECRET = Pattern.compile("[0-9A-Fa-f]{32}");
    private static final int KEYS_MAX = 1_000;
    private static final int PADDED_BYTES = 64;
    private static final byte INNER = 0x36;

    @TempDir
    static Path folder = Path.of("");

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Line(byte[] secret, String prefix) {}

    static Stream<byte[]> seeds() {
        String key = "00112233445566778899aabbccddeeff";
        Stream<String> good = Stream.of(
                "shop-1 " + key + "\n",
                "\uFEFF# ours\r\n\r\nshop " + key + key.toUpperCase(Locale.ROOT) + " prefix=shop.\r\n a.b/c_d-e\t" + key
                        + "0f\t\tprefix=a\n",
                "a " + key + key + key + key + " prefix=" + "p".repeat(250));
        // Each has one error, so that none hides another.
        Stream<String> bad = Stream.of(
                "a " + key + "\na " + key + "\n",
                "none " + key,
                "unknown " + key,
                key + " name",
                "a",
                "a " + key + " prefix=b c",
                "a " + key + " shop.",
                "a " + key + " prefix=",
                "a " + key + " prefix=" + "p".repeat(251),
                "a " + key.substring(2),
                "a " + key + "0",
                "a " + key + key + key + key + "00",
                "a " + key + "xy",
                "i".repeat(33) + " " + key,
                "a: " + key,
                "a\u0085 " + key,
                "\u000b\nb\u00a0 " + key,
                "a " + key + "\rb " + key,
                "");
        Stream<byte[]> noText = Stream.of(("# \u00e9\na " + key).getBytes(ISO_8859_1));
        return Stream.concat(Stream.concat(good, bad).map(text -> text.getBytes(UTF_8)), noText);
    }

    /** The keys of a file, by their IDs; empty if any line is wrong. */
    private static Optional<Map<String, Line>> model(byte[] file) {
        String text;
        try {
            text = UTF_8.newDecoder().decode(ByteBuffer.wrap(file)).toString();
        } catch (CharacterCodingException notText) {
            return Optional.empty();
        }
        Map<String, Line> keys = new LinkedHashMap<>();
        String[] lines = text.split("\r?\n", -1);
        for (int i = 0; i < lines.length; i++) {
            String word = lines[i].trim();
            if (i == 0 && word.startsWith("\uFEFF")) {
                word = word.substring(1).trim();
            }
            if (word.isEmpty() || word.startsWith("#")) {
                continue;
            }
            Matcher key = LINE.matcher(word);
            if (!key.matches() || key.group(1).matches("none|unknown") || keys.containsKey(key.group(1))) {
                return Optional.empty();
            }
            keys.put(
                    key.group(1),
                    new Line(HexFormat.of().parseHex(key.group(2)), key.group(3) == null ? "" : key.group(3)));
        }
        return keys.isEmpty() || keys.size() > KEYS_MAX ? Optional.empty() : Optional.of(keys);
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "00112233445566778899aabbccddeeff",
        " prefix=",
        "prefix=shop.",
        "none ",
        "unknown ",
        "\\x0D\\x0A",
        "# "
    })
    @FuzzTest(maxDuration = "10s")
    void the_keys_are_those_of_the_lines_and_no_message_has_one(byte[] bytes) throws IOException {
        Path file = Files.write(folder.resolve("keys"), bytes);
        Settings settings = new Settings(Map.of(CollectorFlag.KEYS, file.toString()), Map.of());
        List<SigningKey> keys = KeySettings.from(settings).orElseThrow().keys();
        Optional<Map<String, Line>> expected = model(bytes);
        try {
            settings.check();
        } catch (SettingsException refused) {
            assertThat(expected).as("%s", refused.getMessage()).isEmpty();
            assertThat(refused.mistakes()).isNotEmpty().allMatch(mistake -> mistake.startsWith("--keys is " + file));
            assertThat(SECRET.matcher(refused.getMessage()).find())
                    .as("%s", refused.getMessage())
                    .isFalse();
            return;
        }

        assertThat(expected).isPresent();
        Map<String, Line> lines = expected.get();
        assertThat(keys).extracting(SigningKey::id).containsExactlyElementsOf(lines.keySet());
        for (SigningKey key : keys) {
            Line line = Objects.requireNonNull(lines.get(key.id()));
            byte[] inner = new byte[PADDED_BYTES];
            for (int i = 0; i < inner.length; i++) {
                inner[i] = (byte) ((i < line.secret.length ? line.secret[i] : 0) ^ INNER);
            }
            assertThat(key.inner).isEqualTo(inner);
            byte[] name = (line.prefix + "x").getBytes(UTF_8);
            assertThat(key.allows(name, 0, name.length)).isTrue();
            name[0] ^= 1;
            assertThat(key.allows(name, 0, name.length)).isEqualTo(line.prefix.isEmpty());
        }
    }
}
