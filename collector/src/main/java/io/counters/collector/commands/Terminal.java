package io.counters.collector.commands;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The terminal as {@code top} needs it: keys arrive one by one and are not shown, and the table has its own screen. {@link
 * #close} restores it, and also runs at Ctrl-C. {@code stty}, which every Unix has, sets it, because the JDK has no API for
 * that.
 */
final class Terminal implements AutoCloseable {
    private static final String SCREEN = "\u001b[?1049h\u001b[?25l";
    private static final String NO_SCREEN = "\u001b[?25h\u001b[?1049l";
    private static final int COLUMNS = 80;
    private static final int LINES = 24;
    private static final int SIZE_MIN = 4;
    private static final int ESCAPE = 27;

    private final PrintStream out;
    private final InputStream in;
    private final String before;
    private final Thread ending;
    private boolean closed;

    /** Its size. */
    record Size(int columns, int lines) {}

    /** @param before what {@code stty -g} printed */
    Terminal(Shell shell, String before) {
        out = shell.out();
        in = shell.in();
        this.before = before;
        ending = shell.endings().newThread(this::restore);
    }

    /** Opens it; null if there is none, or no {@code stty}. */
    static @Nullable Terminal open(Shell shell) {
        if (!shell.isTerminal()) {
            return null;
        }
        String before = stty("-g");
        if (before == null) {
            return null;
        }
        Terminal terminal = new Terminal(shell, before.strip());
        Runtime.getRuntime().addShutdownHook(terminal.ending);
        // A read returns after 0.1 s without a key.
        stty("-icanon", "-echo", "min", "0", "time", "1");
        terminal.out.print(SCREEN);
        terminal.out.flush();
        return terminal;
    }

    /** Runs {@code stty} and returns what it prints; null if it fails. */
    private static @Nullable String stty(String... arguments) {
        List<String> command = new ArrayList<>(List.of("stty"));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), US_ASCII);
            return process.waitFor(1, TimeUnit.SECONDS) && process.exitValue() == 0 ? said : null;
        } catch (IOException noStty) {
            return null;
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    Size size() {
        String said = stty("size");
        if (said != null && said.matches("\\d{1,5} \\d{1,5}\\s*")) {
            String[] size = said.strip().split(" ", -1);
            int lines = Integer.parseInt(size[0]);
            int columns = Integer.parseInt(size[1]);
            if (lines >= SIZE_MIN && columns >= SIZE_MIN) {
                return new Size(columns, lines);
            }
        }
        return new Size(COLUMNS, LINES);
    }

    /** The next key, or the sequence of a key such as an arrow; null if none was pressed within 0.1 s. */
    @Nullable
    String key() throws IOException {
        int letter = in.read();
        if (letter < 0) {
            return null;
        }
        StringBuilder key = new StringBuilder().append((char) letter);
        if (letter == ESCAPE) {
            for (int more = in.available(); more > 0; more = in.available()) {
                char next = (char) in.read();
                key.append(next);
                if (key.length() > 2 && (Character.isLetter(next) || next == '~')) {
                    break;
                }
            }
        }
        return key.toString();
    }

    /** Shows these lines; nothing any more once the terminal is restored, which may happen in the middle of an update. */
    synchronized void show(List<String> lines) {
        if (closed) {
            return;
        }
        StringBuilder screen = new StringBuilder("\u001b[H");
        for (int i = 0; i < lines.size(); i++) {
            screen.append(lines.get(i)).append("\u001b[K").append(i + 1 < lines.size() ? "\r\n" : "");
        }
        out.print(screen.append("\u001b[J"));
        out.flush();
    }

    private synchronized void restore() {
        if (!closed) {
            closed = true;
            out.print(NO_SCREEN);
            out.flush();
            stty(before);
        }
    }

    @Override
    public void close() {
        restore();
        try {
            Runtime.getRuntime().removeShutdownHook(ending);
        } catch (IllegalStateException isEnding) {
            // The hook has run already, or will find this closed.
        }
    }
}
