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
 * A collector's ledger without its bounds: merges datagrams by the protocol's table, in memory, and remembers for ever,
 * so that every stream is whole.
 */
public final class TotalsReceiver implements Commands {
    /** Amounts that came without a total, and healed totals: by name. */
    private final Map<String, Long> values = new HashMap<>();

    private final Map<String, Long> watermarks = new HashMap<>();
    private final List<String> streams = new ArrayList<>();
    private final List<String> rejections = new ArrayList<>();
    private final CommandReader reader = new CommandReader(this);
    private String stream = "";

    /** Takes one datagram. */
    public void datagram(byte[] bytes, int length) {
        reader.datagram(bytes, 0, length);
    }

    /** What a counter came to. */
    public long value(String name) {
        return values.getOrDefault(name, 0L);
    }

    /** All counters that were ever named. */
    public Map<String, Long> values() {
        return Map.copyOf(values);
    }

    /** The ids of the streams, in the order in which they were heard of. */
    public List<String> streams() {
        return List.copyOf(streams);
    }

    /** What could not be read: empty, if all is well. */
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
