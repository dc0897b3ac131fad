package io.counters.collector.http;

import com.google.gson.FormattingStyle;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;

/** A JSON document that is written piece by piece, so that a large one is never in memory as a whole. */
public final class Json implements Text {
    /** One line, with a space after each colon and comma. */
    private static final FormattingStyle STYLE = FormattingStyle.COMPACT.withSpaceAfterSeparators(true);

    private final Pieces pieces;
    private final JsonWriter writer;
    private StringBuilder out = new StringBuilder();

    /** Writes the parts of a document. */
    @FunctionalInterface
    public interface Pieces {
        /**
         * Writes the next part, at most some KB.
         *
         * @return whether there is more
         */
        boolean write(JsonWriter json) throws IOException;
    }

    /** @param pieces written on the event loop, as every {@link Text} */
    public Json(Pieces pieces) {
        this.pieces = pieces;
        writer = new JsonWriter(new Appending());
        writer.setFormattingStyle(STYLE);
    }

    @Override
    public boolean append(StringBuilder to) {
        out = to;
        try {
            boolean more = pieces.write(writer);
            if (!more) {
                out.append('\n');
            }
            return more;
        } catch (IOException impossible) {
            throw new UncheckedIOException("a text in memory cannot be written", impossible);
        }
    }

    /** Appends to the current piece. */
    private final class Appending extends Writer {
        @Override
        public void write(char[] text, int from, int length) {
            out.append(text, from, length);
        }

        @Override
        public void write(String text) {
            out.append(text);
        }

        @Override
        public void write(int letter) {
            out.append((char) letter);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
