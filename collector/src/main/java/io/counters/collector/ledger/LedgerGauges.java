package io.counters.collector.ledger;

import io.counters.collector.common.Metrics;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/** Metrics about what is in ledgers: of the one there is, or the sums over all partitions that a collector owns. */
public final class LedgerGauges {
    private final Supplier<List<Ledger>> ledgers;

    private LedgerGauges(Supplier<List<Ledger>> ledgers) {
        this.ledgers = ledgers;
    }

    /**
     * Adds the metrics.
     *
     * @param counted the same ledgers as one
     * @param ledgers for any thread
     */
    public static void register(LedgerView counted, Supplier<List<Ledger>> ledgers, Metrics metrics) {
        LedgerGauges of = new LedgerGauges(ledgers);
        metrics.gauge("ledger_counters", "Counters in the ledger.", counted::size);
        metrics.gauge("ledger_names_bytes", "Memory of all counters.", () -> of.sum(Ledger::namesBytes));
        metrics.gauge(
                "ledger_names_bytes_max",
                "The maximum memory of all counters.",
                () -> of.sum(ledger -> ledger.bounds().namesBytes()));
        metrics.gauge("ledger_streams", "Senders with totals.", counted::streams);
        metrics.gauge(
                "ledger_streams_max",
                "The maximum of senders with totals.",
                () -> ledgers.get().stream()
                        .mapToLong(ledger -> ledger.bounds().streamsMax())
                        .max()
                        .orElse(0));
        metrics.gauge("ledger_watermarks", "Watermarks of all streams.", () -> of.sum(Ledger::watermarks));
        metrics.gauge(
                "ledger_watermarks_max",
                "The maximum of watermarks.",
                () -> of.sum(ledger -> ledger.bounds().watermarksMax()));
        metrics.gauge(
                "ledger_datagrams_sent",
                "Datagrams that known streams have sent.",
                () -> of.sum(ledger -> ledger.arrivals(Arrivals::sent)));
        metrics.gauge(
                "ledger_datagrams_received",
                "Datagrams of known streams that arrived.",
                () -> of.sum(ledger -> ledger.arrivals(Arrivals::received)));
        metrics.gauge(
                "ledger_datagrams_repeated",
                "Datagrams of known streams that arrived twice.",
                () -> of.sum(ledger -> ledger.arrivals(Arrivals::repeated)));
        metrics.gauge(
                "ledger_datagrams_lost",
                "Datagrams of known streams that did not arrive.",
                () -> of.sum(ledger -> ledger.arrivals(Arrivals::lost)));
        metrics.gauge("store_due_keys", "Keys of the store that are still to be written or read.", counted::unanswered);
    }

    private long sum(ToLongFunction<Ledger> number) {
        return ledgers.get().stream().mapToLong(number).reduce(0, Values::sum);
    }
}
