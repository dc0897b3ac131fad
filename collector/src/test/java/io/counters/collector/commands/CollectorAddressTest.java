package io.counters.collector.commands;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class CollectorAddressTest {
    private static final String TOKEN = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    @Command
    private static final class Probe {
        @Mixin
        private CollectorAddress at = new CollectorAddress();
    }

    private static void assertRefused(String flag, String text, String message) {
        Probe probe = new Probe();
        new CommandLine(probe).parseArgs(flag, text);
        assertThatExceptionOfType(ParameterException.class)
                .isThrownBy(probe.at::api)
                .withMessageStartingWith(flag + " is " + message)
                .satisfies(refused -> assertThat(refused.getMessage()).doesNotContain(TOKEN));
    }

    @Test
    void a_token_that_cannot_be_sent_is_refused_and_not_shown() throws Exception {
        Path file = Files.writeString(folder.resolve("token"), TOKEN + "\n" + TOKEN + "\n");

        assertRefused("--token-file", file.toString(), file + ", allowed are 16 to 1024 letters");
        Files.writeString(file, "");
        assertRefused("--token-file", file.toString(), file + ", which is empty");
        assertRefused("--token-file", TOKEN, "not shown, which cannot be read as text: there is no such file");
        assertRefused("--token-file", TOKEN.repeat(20), "not shown, which cannot be read as text: ");
        assertRefused("--tls-ca", file.toString(), file + ", for which " + file + " has no certificates in PEM");
    }
}
