package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.DatagramWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Records every datagram. */
final class RecordingTransport implements Transport {
    final List<byte[]> datagrams = new ArrayList<>();

    /** The maximum size of a datagram from now on; a longer one is rejected, as by a kernel. */
    int takesBytes = DatagramWriter.BYTES_MAX;

    private int datagramBytes = DatagramWriter.BYTES_DEFAULT;

    RecordingTransport datagramBytes(int bytes) {
        datagramBytes = bytes;
        return this;
    }

    @Override
    public int datagramBytes() {
        return datagramBytes;
    }

    @Override
    public boolean send(byte[] bytes, int length) {
        if (length > takesBytes) {
            datagramBytes = takesBytes;
            return false;
        }
        datagrams.add(Arrays.copyOf(bytes, length));
        return true;
    }

    /** All lines of all datagrams since the last call. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (byte[] datagram : datagrams) {
            lines.addAll(new String(datagram, ISO_8859_1).lines().toList());
        }
        datagrams.clear();
        return lines;
    }

    /** All lines since the last call, without the from lines. */
    List<String> commands() {
        List<String> lines = lines();
        lines.removeIf(line -> line.startsWith("from "));
        return lines;
    }
}
