package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.management.ThreadMXBean;
import io.counters.collector.ledger.KeptLedger;
import io.counters.wire.DatagramWriter;
import io.counters.wire.SigningKey;
import io.counters.wire.Verb;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The garbage of the thread that receives datagrams. */
@Tag("slow")
class AllocationTest {
    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int SENDERS = 1000;

    /**
     * The JDK creates an address for each datagram whose sender is not that of the datagram before: about 130 bytes, and 176
     * if the first compiler alone compiles it.
     */
    private static final int ADDRESS_BYTES_MAX = 180;

    private static final int NAMES_A_DATAGRAM = 10;
    private static final int ROUNDS_UNTIL_COMPILED = 10;
    private static final int ROUNDS_MEASURED = 5;

    @TempDir
    Path folder;

    /** Measured by the bytes that the receiving thread allocates, once its code is compiled. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void only_the_senders_address_is_allocated_for_a_datagram_from_any_of_a_thousand_senders(boolean isSigned)
            throws Exception {
        SigningKey key = isSigned ? new SigningKey("shop", new byte[32], "") : null;
        List<DatagramChannel> senders = new ArrayList<>();
        AtomicReference<Thread> receiving = new AtomicReference<>();
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            Intake intake = new Intake(
                    new IntakeSettings(
                            InetAddress.getLoopbackAddress(), 0, IntakeSettings.AS_UDP, 250, 100, StatsdSettings.CLEAN),
                    Optional.empty(),
                    Optional.empty(),
                    keys(kept, key),
                    LineTarget.of(kept.ledger),
                    KeptIntake.closedTap(),
                    (work, name) -> {
                        receiving.set(new Thread(work, name));
                        return receiving.get();
                    },
                    System::nanoTime,
                    kept.said.log(),
                    kept.metrics);
            Thread running = new Thread(intake);
            running.start();
            for (int i = 0; i < SENDERS; i++) {
                senders.add(DatagramChannel.open().bind(LOOPBACK).connect(intake.udpAddress()));
            }
            for (int round = 1; round <= ROUNDS_UNTIL_COMPILED; round++) {
                send(senders, key, round, kept);
            }
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long id = Objects.requireNonNull(receiving.get()).getId();
            long least = Long.MAX_VALUE;

            for (int round = 1; round <= ROUNDS_MEASURED; round++) {
                long before = threads.getThreadAllocatedBytes(id);
                send(senders, key, ROUNDS_UNTIL_COMPILED + round, kept);
                least = Math.min(least, threads.getThreadAllocatedBytes(id) - before);
            }

            intake.close();
            running.join(10_000);
            assertThat(running.isAlive()).isFalse();
            assertThat(kept.value("orders.placed.0"))
                    .isEqualTo((long) SENDERS * (ROUNDS_UNTIL_COMPILED + ROUNDS_MEASURED));
            assertThat(least).as("bytes of %s datagrams", SENDERS).isLessThan((long) ADDRESS_BYTES_MAX * SENDERS);
        } finally {
            for (DatagramChannel sender : senders) {
                sender.close();
            }
        }
    }

    private Optional<Keys> keys(KeptLedger kept, @Nullable SigningKey key) {
        return key == null
                ? Optional.empty()
                : Optional.of(new Keys(
                        new KeySettings(folder.resolve("none"), List.of(key), true),
                        System::currentTimeMillis,
                        kept.said.log(),
                        kept.metrics));
    }

    /** Sends a datagram of each sender's stream, and waits until all are merged. */
    private static void send(List<DatagramChannel> senders, @Nullable SigningKey key, int round, KeptLedger kept)
            throws IOException {
        DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_MAX, key);
        for (int i = 0; i < senders.size(); i++) {
            writer.clearToSign(System.currentTimeMillis());
            writer.from(String.format("sender-%017d", i).getBytes(ISO_8859_1), 1000, round);
            for (int name = 0; name < NAMES_A_DATAGRAM; name++) {
                writer.command(Verb.INCREMENT, ("orders.placed." + name).getBytes(ISO_8859_1), 1, round);
            }
            writer.sign();
            senders.get(i).write(ByteBuffer.wrap(writer.buffer(), 0, writer.length()));
            if (i % 100 == 99) {
                long sent = (round - 1L) * senders.size() + i + 1;
                await().pollInSameThread()
                        .pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(1))
                        .until(() -> kept.counted("intake_datagrams_total") == sent);
            }
        }
    }
}
