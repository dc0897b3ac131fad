package io.counters.collector.commands;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A file of datagrams, in the order in which they were received. It can be read with {@code less}, because datagrams are text.
 *
 * <pre>
 *   counters-recording 1 LF                 the format's name and version
 *   MILLIS LENGTH LF DATAGRAM LF            for each datagram: the milliseconds since the first one, and its bytes
 * </pre>
 */
final class Recording {
    static final int DATAGRAM_BYTES_MAX = 65_507;

    private static final String FORMAT = "counters-recording ";
    private static final String FIRST = FORMAT + "1";
    private static final Pattern HEAD = Pattern.compile("(\\d{1,15}) (\\d{1,5})");
    private static final int HEAD_BYTES_MAX = 64;

    private Recording() {}

    /** A datagram, and when it was received. */
    @SuppressWarnings("ArrayRecordComponent") // Handed on at once, never compared.
    record Datagram(long millis, byte[] bytes) {}

    /** Writes a new file. */
    static final class Writer implements AutoCloseable {
        private final OutputStream out;
        private long firstMillis = -1;
        private long bytes;

        /** @throws IOException if the file exists, or cannot be created */
        Writer(Path file) throws IOException {
            out = new BufferedOutputStream(Files.newOutputStream(file, StandardOpenOption.CREATE_NEW));
            write((FIRST + "\n").getBytes(ISO_8859_1));
        }

        void write(long atMillis, byte[] datagram) throws IOException {
            firstMillis = firstMillis < 0 ? atMillis : firstMillis;
            // The wall clock may have been set back.
            long millis = Math.max(0, atMillis - firstMillis);
            write((millis + " " + datagram.length + "\n").getBytes(ISO_8859_1));
            write(datagram);
            write(new byte[] {'\n'});
        }

        private void write(byte[] some) throws IOException {
            out.write(some);
            bytes += some.length;
        }

        long bytes() {
            return bytes;
        }

        void flush() throws IOException {
            out.flush();
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }

    /** Reads a file. */
    static final class Reader implements AutoCloseable {
        private final Path file;
        private final InputStream in;
        private long datagrams;
        private boolean isCut;

        /** @throws IOException if it cannot be read, or is not a recording of this version */
        Reader(Path file) throws IOException {
            this.file = file;
            in = new BufferedInputStream(Files.newInputStream(file));
            String format;
            try {
                format = line();
            } catch (EOFException noLine) {
                format = "";
            }
            if (!FIRST.equals(format)) {
                in.close();
                throw new IOException(
                        format.startsWith(FORMAT)
                                ? file + " is a recording of another version, " + Escaped.text(format)
                                        + "; this one reads " + FIRST
                                : file + " is not a recording: its first line must be " + FIRST);
            }
        }

        /** The next datagram; null at the end. */
        @Nullable
        Datagram next() throws IOException {
            in.mark(1);
            if (in.read() < 0) {
                return null;
            }
            in.reset();
            try {
                Matcher head = HEAD.matcher(line());
                if (!head.matches() || Integer.parseInt(head.group(2)) > DATAGRAM_BYTES_MAX) {
                    throw broken();
                }
                int length = Integer.parseInt(head.group(2));
                byte[] bytes = in.readNBytes(length);
                int end = in.read();
                if (bytes.length < length || end < 0) {
                    throw new EOFException();
                }
                if (end != '\n') {
                    throw broken();
                }
                datagrams++;
                return new Datagram(Long.parseLong(head.group(1)), bytes);
            } catch (EOFException cut) {
                isCut = true;
                return null;
            }
        }

        /** Whether the file ends in the middle of a datagram. */
        boolean isCut() {
            return isCut;
        }

        private IOException broken() {
            return new IOException(file + " is damaged after datagram " + datagrams
                    + ": MILLIS LENGTH, the datagram and a line break must follow, and LENGTH is at most "
                    + DATAGRAM_BYTES_MAX);
        }

        private String line() throws IOException {
            StringBuilder line = new StringBuilder();
            for (int letter = in.read(); letter != '\n'; letter = in.read()) {
                if (letter < 0) {
                    throw new EOFException();
                }
                if (line.length() == HEAD_BYTES_MAX) {
                    return line.toString();
                }
                line.append((char) letter);
            }
            return line.toString();
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
