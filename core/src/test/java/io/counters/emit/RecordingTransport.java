package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Keeps every datagram. */
final class RecordingTransport implements Transport {
    final List<byte[]> datagrams = new ArrayList<>();

    @Override
    public void send(byte[] bytes, int length) {
        datagrams.add(Arrays.copyOf(bytes, length));
    }

    /** All lines since the last call, of all datagrams. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (byte[] datagram : datagrams) {
            lines.addAll(new String(datagram, ISO_8859_1).lines().toList());
        }
        datagrams.clear();
        return lines;
    }

    /** All lines since the last call but the from lines. */
    List<String> commands() {
        List<String> lines = lines();
        lines.removeIf(line -> line.startsWith("from "));
        return lines;
    }
}
