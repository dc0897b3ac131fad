package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.intake.LineTarget;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import org.jspecify.annotations.Nullable;

/** Feeds datagrams to what takes lines, as intake does. */
final class TargetFeed implements Commands {
    private final LineTarget target;
    private final CommandReader reader = new CommandReader(this);
    private final long address;
    private @Nullable Object stream;
    private boolean isConnection;
    private byte[] datagram = {};

    /** Of one object, so that a test can count what the target allocates. */
    private final Runnable readDatagram = this::read;

    TargetFeed(LineTarget target) {
        this(target, 0);
    }

    /** @param address of the sender */
    TargetFeed(LineTarget target, long address) {
        this.target = target;
        this.address = address;
    }

    private void read() {
        isConnection = false;
        reader.datagram(datagram, 0, datagram.length);
    }

    void datagram(String text) {
        datagram(text.getBytes(ISO_8859_1));
    }

    void datagram(byte[] bytes) {
        datagram = bytes;
        target.batch(readDatagram);
    }

    /** Lines of a connection, each with its line break. */
    void lines(String text) {
        byte[] bytes = text.getBytes(ISO_8859_1);
        target.batch(() -> {
            isConnection = true;
            if (stream != null) {
                target.heard(stream);
            }
            reader.lines(bytes, 0, bytes.length);
        });
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        stream = target.stream(bytes, begin, end, ageMillis, seq, address);
        if (isConnection) {
            target.heard(stream);
        }
    }

    @Override
    public void fromNobody() {
        stream = null;
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        target.merge(stream, verb, bytes, begin, end, amount, total);
    }

    @Override
    public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
        target.merge(bytes, begin, end, integer, rest);
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        throw new AssertionError(why + ": " + new String(bytes, begin, end - begin, ISO_8859_1));
    }
}
