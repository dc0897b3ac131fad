package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.KeptLedger;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Threads that wait for a ledger that does not go on, which systemd's watchdog and /healthz must see. */
@EnabledOnOs(OS.LINUX)
class IntakeHangsTest {
    @TempDir
    Path folder;

    @Test
    void a_thread_that_hangs_while_datagrams_wait_is_told_until_it_goes_on() throws Exception {
        AtomicLong nanos = new AtomicLong();
        try (KeptLedger kept = new KeptLedger(folder, false);
                DatagramSocket sender = new DatagramSocket()) {
            IntakeSettings settings = new IntakeSettings(
                    InetAddress.getLoopbackAddress(), 0, IntakeSettings.AS_UDP, 250, 100, StatsdSettings.CLEAN);
            Intake intake = KeptIntake.open(kept, settings, null, nanos::get);
            Thread running = new Thread(intake);
            running.start();
            CountDownLatch held = new CountDownLatch(1);
            CountDownLatch released = new CountDownLatch(1);
            Thread holder = new Thread(() -> kept.ledger.batch(() -> {
                held.countDown();
                await().until(() -> released.getCount() == 0);
            }));
            holder.start();
            held.await();
            byte[] line = "increment a".getBytes(US_ASCII);
            for (int i = 0; i < 10; i++) {
                sender.send(new DatagramPacket(line, line.length, intake.udpAddress()));
            }

            // The thread of the TCP port goes on: it makes a round a second of the real clock.
            await().untilAsserted(() -> {
                nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
                intake.look();
                assertThat(intake.hangs())
                        .anyMatch(text -> text.startsWith("the UDP socket's thread has read nothing for "));
            });

            released.countDown();
            await().untilAsserted(() -> {
                intake.look();
                assertThat(intake.hangs()).noneMatch(text -> text.startsWith("the UDP socket's thread"));
            });
            holder.join();
            await().until(() -> kept.ledger.value("a") == 10);
            intake.close();
            running.join(10_000);
            assertThat(running.isAlive()).isFalse();
        }
    }
}
