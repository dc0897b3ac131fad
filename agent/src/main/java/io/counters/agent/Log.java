package io.counters.agent;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Prints the agent's messages, each after {@code counters: }, to a file, or to what was stderr when the agent started;
 * never to stdout. Equal messages are printed once. After {@value #LINES_MAX} messages it prints a notice and suppresses
 * further ones. Any thread.
 */
final class Log implements Consumer<String> {
    private static final int LINES_MAX = 1000;

    private final Set<String> said = new LinkedHashSet<>();
    private final PrintStream stderr = System.err;
    private volatile PrintStream out = stderr;
    private volatile @Nullable PrintStream opened;
    private volatile @Nullable String file;

    /** From now on appends to a file. */
    @SuppressWarnings("JdkObsolete") // Java 8 takes the charset by name only.
    void to(String file) {
        this.file = file;
        try {
            PrintStream fresh = new PrintStream(new FileOutputStream(file, true), true, "UTF-8");
            opened = fresh;
            out = fresh;
        } catch (IOException | RuntimeException cannot) {
            accept("log is " + file + ", which cannot be written (" + cannot.getMessage() + "); stderr is used");
        }
    }

    /** Closes the file; messages go to stderr until {@link #open}. */
    void close() {
        PrintStream open = opened;
        if (open != null) {
            out = stderr;
            opened = null;
            open.close();
        }
    }

    /** Opens the file again, if it is closed. */
    void open() {
        String path = file;
        if (path != null && opened == null) {
            to(path);
        }
    }

    /**
     * Prints with no lock held except the stream's. A thread that holds the stream's lock, because it prints a stack trace,
     * may load a class and log. If another thread then printed while it held a second lock, both would wait forever.
     */
    @Override
    public void accept(String line) {
        boolean last;
        synchronized (this) {
            if (said.size() >= LINES_MAX || !said.add(line)) {
                return;
            }
            last = said.size() == LINES_MAX;
        }
        out.println("counters: " + line);
        if (last) {
            out.println("counters: " + LINES_MAX + " messages logged; further ones are suppressed");
        }
    }

    /** All messages so far, one a line. */
    synchronized String said() {
        StringBuilder all = new StringBuilder();
        for (String line : said) {
            all.append(all.length() == 0 ? "" : "\n").append("counters: ").append(line);
        }
        return all.toString();
    }
}
