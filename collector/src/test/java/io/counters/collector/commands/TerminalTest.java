package io.counters.collector.commands;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@code TopIT} cannot bring about in a real terminal at will. */
class TerminalTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Shell shell = new Shell(
            new ByteArrayInputStream(new byte[0]),
            new PrintStream(out, true, UTF_8),
            new PrintStream(out, true, UTF_8),
            true,
            true,
            () -> 0,
            Thread::new);

    @Test
    void nothing_is_shown_after_the_terminal_was_restored() {
        Terminal terminal = new Terminal(shell, "no settings");
        terminal.show(List.of("a table"));
        assertThat(out.toString(UTF_8)).contains("a table");

        // As Ctrl-C does, while the command still runs.
        terminal.close();
        terminal.show(List.of("a late table"));

        assertThat(out.toString(UTF_8)).endsWith("\u001b[?1049l").doesNotContain("late");
    }
}
