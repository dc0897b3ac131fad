package io.counters.collector.tap;

import io.counters.collector.http.Text;
import java.util.Base64;

/**
 * The events of {@code /api/tap/datagrams}: each datagram over UDP and the Unix socket as it was received, in base64. TCP is
 * left out, because its lines are not datagrams.
 */
final class DatagramEvents implements Text {
    private final TapReader reader;
    private boolean isAnnounced;
    private long tcp;

    DatagramEvents(TapReader reader) {
        this.reader = reader;
    }

    @Override
    public boolean append(StringBuilder out) {
        if (!reader.isOpen()) {
            return false;
        }
        if (!isAnnounced) {
            isAnnounced = true;
            out.append("event: open\ndata: {}\n\n");
        }
        Received next = reader.next();
        if (next == null) {
            leftOut(out);
            return false;
        }
        if (next.protocol().equals("TCP")) {
            tcp++;
        } else if (next.why() == null) {
            out.append("event: datagram\ndata: ");
            out.append(EventJson.of(next)
                    .put("bytes", Base64.getEncoder().encodeToString(next.bytes()))
                    .text());
            out.append("\n\n");
        }
        return true;
    }

    private void leftOut(StringBuilder out) {
        long missed = reader.takeMissed();
        if (missed > 0 || tcp > 0) {
            out.append("event: left_out\ndata: {\"missed\": ").append(missed);
            out.append(", \"tcp\": ").append(tcp).append("}\n\n");
        }
        tcp = 0;
    }
}
