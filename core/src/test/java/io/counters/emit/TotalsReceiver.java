package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A collector's ledger without its bounds: merges datagrams by the protocol's table in memory and forgets nothing, so
 * every stream is whole.
 */
public final class TotalsReceiver implements Commands {
    /** The sum of all applied amounts, by name. */
    private final Map<String, Long> values = new HashMap<>();

    private final Map<String, Long> watermarks = new HashMap<>();
    private final List<String> streams = new ArrayList<>();
    private final List<String> rejections = new ArrayList<>();
    private final CommandReader reader = new CommandReader(this);
    private String stream = "";

    /** Reads one datagram. */
    public void datagram(byte[] bytes, int length) {
        reader.datagram(bytes, 0, length);
    }

    /** The value of a counter. */
    public long value(String name) {
        return values.getOrDefault(name, 0L);
    }

    /** The values of all counters that were received, by name. */
    public Map<String, Long> values() {
        return Map.copyOf(values);
    }

    /** The ids of the streams, in the order of their first datagrams. */
    public List<String> streams() {
        return List.copyOf(streams);
    }

    /** The rejected lines. */
    public List<String> rejections() {
        return List.copyOf(rejections);
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        stream = new String(bytes, begin, end - begin, ISO_8859_1);
        if (!streams.contains(stream)) {
            streams.add(stream);
        }
    }

    @Override
    public void fromNobody() {
        stream = "";
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        String name = new String(bytes, begin, end - begin, ISO_8859_1);
        long applied = amount;
        if (!stream.isEmpty() && total != NO_TOTAL) {
            String line = stream + " " + verb + " " + name;
            long watermark = watermarks.getOrDefault(line, 0L);
            applied = Math.max(0, total - watermark);
            watermarks.put(line, Math.max(watermark, total));
        }
        values.merge(name, verb.signed(applied), Long::sum);
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        rejections.add(why + " <" + new String(bytes, begin, end - begin, ISO_8859_1) + ">");
    }
}
