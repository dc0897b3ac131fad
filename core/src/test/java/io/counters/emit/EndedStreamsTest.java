package io.counters.emit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams that end because the process may be copied. */
class EndedStreamsTest {
    private static final EmitterSettings SETTINGS = EmitterSettings.to("127.0.0.1:9");

    private final CountedCells cells = new CountedCells();
    private final RecordingTransport transport = new RecordingTransport();
    private final AtomicInteger ids = new AtomicInteger();
    private final Sweep sweep = new Sweep(
            cells.table(), SETTINGS, () -> 0, () -> 0, () -> "stream-" + ids.incrementAndGet() + "-of-this-test");

    @Test
    void streams_that_ended_are_repeated_and_get_no_more_amounts() {
        cells.add("a", 3);
        sweep.run(transport);
        cells.add("b", 2);
        transport.datagrams.clear();

        sweep.end();
        assertThat(transport.datagrams).as("ending sends nothing").isEmpty();
        cells.add("a", 4);
        sweep.run(transport);
        sweep.last(transport);

        assertThat(transport.lines())
                .containsExactly(
                        "from stream-1-of-this-test 0 2",
                        "increment a 0 3",
                        "from stream-2-of-this-test 0 1",
                        "increment b 2 2",
                        "from stream-3-of-this-test 0 1",
                        "increment a 4 4",
                        "from stream-1-of-this-test 0 3",
                        "increment a 0 3",
                        "from stream-2-of-this-test 0 2",
                        "increment b 0 2",
                        "from stream-3-of-this-test 0 2",
                        "increment a 0 4");
    }

    @Test
    void streams_of_which_nothing_was_sent_are_kept_by_further_checkpoints() {
        cells.add("a", 3);
        sweep.end();
        cells.add("a", 4);
        sweep.end();
        sweep.end();

        assertThat(received()).isEqualTo(7);
    }

    @Test
    void a_stream_is_forgotten_at_a_checkpoint_after_64_sweeps_have_repeated_it() {
        cells.add("a", 3);
        sweep.end();
        for (int i = 0; i < OutboundStream.REPEAT_SWEEPS; i++) {
            sweep.run(transport);
        }
        sweep.end();
        assertThat(received()).isEqualTo(3);

        sweep.run(transport);
        sweep.end();

        assertThat(received()).isEqualTo(0);
    }

    @Test
    void a_collector_that_has_moved_gets_what_was_never_sent_and_nothing_else() {
        cells.add("a", 3);
        sweep.run(transport);
        cells.add("a", 4);
        sweep.end();

        sweep.begin(0);

        assertThat(received()).isEqualTo(4);
    }

    @Test
    void copies_send_amounts_only_in_totals_because_a_collector_may_have_forgotten_those_of_other_copies() {
        cells.add("a", 3);
        sweep.end();
        sweep.settle();

        sweep.last(transport);

        assertThat(transport.lines()).containsExactly("from stream-1-of-this-test 0 1", "increment a 0 3");
    }

    @Test
    void without_totals_a_settled_stream_still_sends_its_amounts() {
        Sweep plain = new Sweep(cells.table(), SETTINGS.totals(false), () -> 0, () -> 0, () -> "none");
        cells.add("a", 3);
        plain.end();
        plain.settle();

        plain.last(transport);

        assertThat(transport.lines()).containsExactly("increment a 3");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void copies_of_a_process_send_what_it_had_counted_once_in_all(boolean hasAddress) {
        TotalsReceiver receiver = new TotalsReceiver();
        for (int copy = 1; copy <= 3; copy++) {
            CountedCells of = new CountedCells();
            String[] stream = {"stream-of-the-image-"};
            AtomicInteger number = new AtomicInteger();
            Sweep its = new Sweep(of.table(), SETTINGS, () -> 0, () -> 0, () -> stream[0] + number.incrementAndGet());
            of.add("a", 3);
            its.run(hasAddress ? transport : null);
            of.add("a", 4);
            of.add("b", -2);
            its.end();
            its.settle();
            // Of what was sent before the image was made, nothing has arrived.
            transport.datagrams.clear();

            stream[0] = "stream-of-copy-" + copy + "-";
            of.add("a", 100L * copy);
            its.run(transport);
            of.add("b", copy);
            its.last(transport);
            deliver(transport.datagrams, receiver);
        }

        assertThat(receiver.value("a")).isEqualTo(3 + 4 + 100 + 200 + 300);
        assertThat(receiver.value("b")).isEqualTo(-2 + 1 + 2 + 3);
    }

    /** What a collector that knows nothing yet gets from a last sweep. */
    private long received() {
        transport.datagrams.clear();
        sweep.last(transport);
        TotalsReceiver receiver = new TotalsReceiver();
        deliver(transport.datagrams, receiver);
        return receiver.value("a");
    }

    private static void deliver(List<byte[]> datagrams, TotalsReceiver receiver) {
        for (byte[] datagram : datagrams) {
            receiver.datagram(Arrays.copyOf(datagram, datagram.length), datagram.length);
        }
    }
}
