package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** One connection to an HTTP server, byte by byte, so that a test can send what no client library would. */
public final class Browser implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 50_000;

    private final Socket socket = new Socket();
    private final DataInputStream in;

    /** An answer, with its headers by their names in lower case. */
    public record Reply(int status, Map<String, String> headers, String body) {}

    public Browser(InetSocketAddress server) throws IOException {
        this(server, 0);
    }

    /** Connects with a receive buffer of this size, or the default one for 0. */
    public Browser(InetSocketAddress server, int receiveBytes) throws IOException {
        if (receiveBytes > 0) {
            socket.setReceiveBufferSize(receiveBytes);
        }
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.connect(server);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    }

    /** Sends this text unchanged. */
    public Browser send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(ISO_8859_1));
        return this;
    }

    /** Sends a request with its own Host header. */
    public Browser ask(String method, String path, String... headers) throws IOException {
        return send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n"
                + (headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n") + "\r\n");
    }

    /** Closes the output. */
    public Browser half() throws IOException {
        socket.shutdownOutput();
        return this;
    }

    /** Reads one complete answer to a GET or POST. */
    public Reply reply() throws IOException {
        return reply(true);
    }

    /** Reads what is before the body. */
    public Reply head() throws IOException {
        int status = Integer.parseInt(line().split(" ", 3)[1]);
        Map<String, String> headers = new TreeMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            String[] header = line.split(": ", 2);
            headers.put(header[0].toLowerCase(Locale.ROOT), header[1]);
        }
        return new Reply(status, headers, "");
    }

    /** Reads the next chunk of a body. */
    public String chunk() throws IOException {
        String chunk = new String(in.readNBytes(chunkSize()), ISO_8859_1);
        line();
        return chunk;
    }

    /** Reads one answer, and its body if it has one. */
    public Reply reply(boolean hasBody) throws IOException {
        Reply head = head();
        if (!hasBody) {
            return head;
        }
        Map<String, String> headers = head.headers();
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        if (headers.containsKey("content-length")) {
            body.write(in.readNBytes(Integer.parseInt(headers.get("content-length"))));
        } else if (headers.getOrDefault("transfer-encoding", "").equals("chunked")) {
            for (int size = chunkSize(); size > 0; size = chunkSize()) {
                body.write(in.readNBytes(size));
                line();
            }
            line();
        } else {
            body.write(in.readAllBytes());
        }
        return new Reply(head.status(), headers, body.toString(ISO_8859_1));
    }

    private int chunkSize() throws IOException {
        return Integer.parseInt(line(), 16);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (char letter = (char) in.readUnsignedByte(); letter != '\n'; letter = (char) in.readUnsignedByte()) {
            line.append(letter == '\r' ? "" : letter);
        }
        return line.toString();
    }

    /** Reads and discards this many bytes. */
    public void skip(int bytes) throws IOException {
        in.skipNBytes(bytes);
    }

    /** Waits until the server closes or resets the connection, and returns what arrived before. */
    public String rest() throws IOException {
        ByteArrayOutputStream rest = new ByteArrayOutputStream();
        try {
            for (int next = in.read(); next >= 0; next = in.read()) {
                rest.write(next);
            }
        } catch (SocketException closed) {
            // A reset also ends the connection.
        }
        return rest.toString(ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
