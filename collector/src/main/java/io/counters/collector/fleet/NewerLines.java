package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.collector.common.Threads;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * A newer collector has written lines in a format that this one cannot read: this one must end, with its process. A newer one
 * takes over its partitions and merges these lines; if this one went on, it would reject them, and they would be lost.
 *
 * <p>A record's format is the number in its header {@code format}. Without that header it is {@value #FORMAT}, the text of {@link
 * LineRecords}.
 */
final class NewerLines extends Threads.MustEnd {
    private static final long serialVersionUID = 1;
    private static final int FORMAT = 1;
    private static final String HEADER = "format";

    private NewerLines(String message, Throwable cause) {
        super(message, cause);
    }

    /** Throws this if it is the record of a format that this version does not read. */
    static void refuse(ConsumerRecord<byte[], byte[]> lines) {
        Header header = lines.headers().lastHeader(HEADER);
        if (header == null) {
            return;
        }
        String format = header.value() == null ? "null" : new String(header.value(), US_ASCII);
        if (!format.equals(String.valueOf(FORMAT))) {
            throw new NewerLines(
                    "lines of partition " + lines.partition() + ", offset " + lines.offset() + ", have format " + format
                            + ", which a newer version of the collector has written, and this version reads " + FORMAT
                            + "; they wait for a collector of that version: upgrade this one",
                    new IllegalStateException("format " + format));
        }
    }
}
