package io.counters.agent;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Where the agent's lines go, each with {@code counters: } in front: stderr as it was when the agent came, or a file;
 * never stdout. The same line is printed once; beyond {@value #LINES_MAX} lines it falls silent and says so. Any thread.
 */
final class Log implements Consumer<String> {
    private static final int LINES_MAX = 1000;

    private final Set<String> said = new LinkedHashSet<>();
    private volatile PrintStream out = System.err;

    /** Writes to the end of a file from now on. */
    @SuppressWarnings("JdkObsolete") // Java 8 takes the charset by name only.
    void to(String file) {
        try {
            out = new PrintStream(new FileOutputStream(file, true), true, "UTF-8");
        } catch (IOException | RuntimeException cannot) {
            accept("log is " + file + ", which cannot be written (" + cannot.getMessage() + "); stderr is used");
        }
    }

    /** Prints with no lock held but the stream's: who holds that, printing a stack trace, may load a class and log. */
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
            out.println("counters: that were " + LINES_MAX + " lines; no more are printed");
        }
    }

    /** All lines so far. */
    synchronized String said() {
        StringBuilder all = new StringBuilder();
        for (String line : said) {
            all.append(all.length() == 0 ? "" : "\n").append("counters: ").append(line);
        }
        return all.toString();
    }
}
