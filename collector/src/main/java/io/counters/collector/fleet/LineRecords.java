package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.intake.HttpStreams;
import io.counters.collector.ledger.InboundStream;
import io.counters.collector.ledger.Ledger;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Merges records of the topic {@code PREFIX.lines} into the ledger of their partition. A record is text as on a TCP stream,
 * with three more forms of the {@code from} line:
 *
 * <pre>
 *   from SENDER AGE SEQ           datagram SEQ arrived; only in the stream's home partition
 *   from SENDER AGE FIRST-LAST    so did all datagrams from FIRST to LAST, at most 65,536; only there
 *   from SENDER AGE               the stream is alive; another partition counts its datagrams
 *   from SENDER AGE FIRST LAST    so it is; and each line after it is of one of the datagrams from FIRST to LAST
 *   from -                        the lines after it belong to no stream, as do those before the first from line
 *   increment NAME AMOUNT TOTAL   and so on, as on a TCP stream; every line has its line break
 *   NAME:-0.25|c                  a fraction
 * </pre>
 *
 * <p>{@link Gatherer} writes these records. Used by the thread of the partition's owner only.
 */
final class LineRecords {
    private final Ledger ledger;
    private final FaultLog faults;
    private final LongAdder rejected;
    private final Lines lines = new Lines();
    private final CommandReader reader = new CommandReader(lines);

    private @Nullable InboundStream stream;

    /** How much older a stream is now than when its line was written. */
    private long sinceMillis;

    private @Nullable String refused;

    /** @param ledger of one partition */
    LineRecords(Ledger ledger, FaultLog faults, Metrics metrics) {
        this.ledger = ledger;
        this.faults = faults;
        rejected = metrics.count(
                "fleet_rejected_lines_total",
                "Lines of the topic of lines that could not be read, and were not counted.");
    }

    /**
     * Merges one record, as one batch. Never throws for any text: a line that cannot be read is counted,
     * logged, and skipped.
     *
     * @param text the record's value
     * @param recordMillis the record's time
     * @param nowMillis Unix time; the streams of the record are older by the difference, if it is positive
     */
    void merge(byte[] text, long recordMillis, long nowMillis) {
        stream = null;
        sinceMillis = Math.max(0, nowMillis - recordMillis);
        int complete = afterLastLine(text);
        ledger.batch(() -> {
            reader.lines(text, 0, complete);
            if (complete < text.length) {
                lines.rejected(Rejection.LINE_CUT, text, complete, text.length);
            }
        });
        if (refused != null) {
            faults.warn("lines of the fleet", refused);
            refused = null;
        }
    }

    private static int afterLastLine(byte[] text) {
        int end = text.length;
        while (end > 0 && text[end - 1] != '\n') {
            end--;
        }
        return end;
    }

    private final class Lines implements Commands {
        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
            announced(bytes, begin, end, ageMillis, seq, seq);
        }

        @Override
        public boolean announced(byte[] bytes, int begin, int end, long ageMillis, long first, long last) {
            if (last - first >= LineWindow.RUN_MAX) {
                return false;
            }
            // An age is at most Long.MAX_VALUE, and older than that is no older.
            long age = ageMillis + sinceMillis < 0 ? Long.MAX_VALUE : ageMillis + sinceMillis;
            stream = ledger.announced(bytes, begin, end, age, first, last);
            if (HttpStreams.has(bytes, begin, end)) {
                stream.comeByHttp();
            }
            return true;
        }

        @Override
        public boolean among(byte[] bytes, int begin, int end, long ageMillis, long first, long last) {
            announced(bytes, begin, end, ageMillis, 0, 0);
            if (stream != null) {
                stream.among(first, last);
            }
            return true;
        }

        @Override
        public void fromNobody() {
            stream = null;
        }

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
            ledger.merge(stream, verb, bytes, begin, end, amount, total);
        }

        @Override
        public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
            ledger.merge(bytes, begin, end, integer, rest);
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            rejected.increment();
            if (refused == null) {
                refused = "the topic of lines contains the line \"" + FaultLog.shown(bytes, begin, end)
                        + "\", which is not counted: " + why.rule()
                        + "; only collectors of this fleet, of the same version, may write to this topic";
            }
        }
    }
}
