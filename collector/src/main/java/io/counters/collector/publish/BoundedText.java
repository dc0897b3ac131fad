package io.counters.collector.publish;

import com.google.gson.stream.JsonReader;
import io.counters.collector.common.FaultLog;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;

/**
 * Received text with two limits: for the whole text, and for each token, because a JSON reader keeps a token in memory until
 * it is complete. Remembers the text's beginning, for the log.
 */
final class BoundedText extends Reader {
    /** The maximum characters of a name, a string or a number. */
    static final int TOKEN_CHARS_MAX = 64 * 1024;

    private static final int BEGINNING_CHARS = 300;

    /** The text exceeds a limit. */
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
            throw new TooLong("more than " + charsMax + " characters");
        }
        if (read - tokenAt > TOKEN_CHARS_MAX) {
            throw new TooLong("more than " + TOKEN_CHARS_MAX + " characters in one value");
        }
        return count;
    }

    /** Begins a new token: what was read so far is processed. */
    void token() {
        tokenAt = read;
    }

    /** Calls {@code json.hasNext()}, and begins a new token. */
    boolean hasNext(JsonReader json) throws IOException {
        token();
        return json.hasNext();
    }

    /** Reads only what {@link #beginning} shows. */
    void readBeginning() throws IOException {
        token();
        char[] some = new char[BEGINNING_CHARS];
        while (beginning.length() <= BEGINNING_CHARS && read(some, 0, some.length) >= 0) {
            token();
        }
    }

    /** The whole text, which is read to its end. */
    String all() throws IOException {
        StringBuilder all = new StringBuilder();
        char[] some = new char[BEGINNING_CHARS];
        for (int count = 0; count >= 0; count = read(some, 0, some.length)) {
            all.append(some, 0, count);
            token();
        }
        return all.toString();
    }

    /** Whether the whole text was read. */
    boolean isEnded() {
        return ended;
    }

    /** The beginning, shortened and cleaned for one line of the log. */
    String beginning() {
        return shortened(beginning.toString());
    }

    /** The beginning, as it was received. */
    String received() {
        return beginning.toString();
    }

    /** A text, shortened and cleaned for one line of the log. */
    static String shortened(String text) {
        String line = FaultLog.shown(
                text.substring(0, Math.min(text.length(), BEGINNING_CHARS + 1)).replaceAll("\\s+", " "));
        return line.length() <= BEGINNING_CHARS ? line : line.substring(0, BEGINNING_CHARS) + "...";
    }

    /** Does nothing: the owner closes the reader. */
    @Override
    public void close() {
        // The owner closes the reader.
    }
}
