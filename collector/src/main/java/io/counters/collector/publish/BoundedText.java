package io.counters.collector.publish;

import com.google.gson.stream.JsonReader;
import io.counters.collector.self.FaultLog;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;

/**
 * Text that somebody sends, as far as it is read: so much in all, and so much for each part of it, as a JSON reader keeps
 * a part in memory until it has all of it. Remembers its beginning, for the log.
 */
final class BoundedText extends Reader {
    /** The most letters of a name, a string or a number. */
    static final int TOKEN_CHARS_MAX = 64 * 1024;

    private static final int BEGINNING_CHARS = 300;

    /** There is more than was allowed. */
    static final class TooLong extends IOException {
        private static final long serialVersionUID = 1;

        TooLong(String what) {
            super(what);
        }
    }

    private final Reader in;
    private final long charsMax;
    private final StringBuilder beginning = new StringBuilder();
    private long read;
    private boolean ended;
    private long tokenAt;

    BoundedText(Reader in, long charsMax) {
        this.in = in;
        this.charsMax = charsMax;
    }

    static BoundedText of(String text) {
        return new BoundedText(new StringReader(text), text.length());
    }

    @Override
    public int read(char[] into, int begin, int length) throws IOException {
        int count = in.read(into, begin, length);
        ended = count < 0;
        if (count > 0) {
            beginning.append(into, begin, Math.min(count, BEGINNING_CHARS + 1 - beginning.length()));
            read += count;
        }
        if (read > charsMax) {
            throw new TooLong("more than " + charsMax + " letters");
        }
        if (read - tokenAt > TOKEN_CHARS_MAX) {
            throw new TooLong("more than " + TOKEN_CHARS_MAX + " letters without an end");
        }
        return count;
    }

    /** What was read so far is dealt with. */
    void token() {
        tokenAt = read;
    }

    /** As the reader's, which reads from here; what was before is dealt with. */
    boolean hasNext(JsonReader json) throws IOException {
        token();
        return json.hasNext();
    }

    /** Reads no more than what {@link #beginning} shows. */
    void readBeginning() throws IOException {
        token();
        char[] some = new char[BEGINNING_CHARS];
        while (beginning.length() <= BEGINNING_CHARS && read(some, 0, some.length) >= 0) {
            token();
        }
    }

    /** Whether all of it was read. */
    boolean isEnded() {
        return ended;
    }

    /** Enough of it for a line in the log, and fit for one. */
    String beginning() {
        String line = FaultLog.shown(beginning.toString().replaceAll("\\s+", " "));
        return line.length() <= BEGINNING_CHARS ? line : line.substring(0, BEGINNING_CHARS) + "...";
    }

    /** Closes nothing: whoever opened it does. */
    @Override
    public void close() {
        // See above.
    }
}
