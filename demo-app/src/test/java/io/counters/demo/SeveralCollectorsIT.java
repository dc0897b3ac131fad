package io.counters.demo;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An agent that shards over real collectors, one of which is killed again and again. */
@Tag("once")
class SeveralCollectorsIT {
    private static final int NAMES = 300;
    private static final int KILLS = 3;
    private static final int[] WEIGHTS = {3, 1, 2};
    private static final Pattern COUNTED = Pattern.compile("(many[^ ]+) (-?\\d+)");

    @TempDir
    private Path folder;

    @Test
    void each_name_is_exact_at_the_collector_that_the_ring_names_and_at_no_other() throws Exception {
        List<CollectorProgram> collectors = new ArrayList<>();
        try {
            for (int i = 0; i < WEIGHTS.length; i++) {
                collectors.add(CollectorProgram.start(folder.resolve("ledger" + i), Ports.reserve()));
            }
            List<String> addresses =
                    collectors.stream().map(CollectorProgram::address).toList();
            String list = addresses.get(0) + "*3;" + addresses.get(1) + ";" + addresses.get(2) + "*2";
            try (Program sender = Program.java(List.of(
                    "-javaagent:" + Jars.agent() + "=collector=" + list + ",sweep=50ms",
                    "-cp",
                    Path.of("target", "test-classes") + File.pathSeparator + Jars.shop(),
                    ManyCounters.class.getName(),
                    Integer.toString(NAMES),
                    "7"))) {
                sender.awaitLine("^counts$");
                Random random = new Random(7);
                for (int kill = 0; kill < KILLS; kill++) {
                    int victim = random.nextInt(WEIGHTS.length);
                    CollectorProgram running = collectors.get(victim);
                    await("counts have arrived").until(() -> !running.counters().isEmpty());
                    int port = Integer.parseInt(addresses.get(victim).split(":", 2)[1]);
                    running.program().kill();
                    collectors.set(victim, CollectorProgram.start(folder.resolve("ledger" + victim), port));
                }

                List<Map<String, Long>> expected = counted(sender, new KetamaRing(addresses, 3, 1, 2));

                for (int i = 0; i < WEIGHTS.length; i++) {
                    CollectorProgram collector = collectors.get(i);
                    Map<String, Long> its = expected.get(i);
                    assertThat(its).hasSizeGreaterThan(NAMES / 50);
                    await("collector " + i + " has all counts")
                            .atMost(Duration.ofSeconds(60))
                            .untilAsserted(
                                    () -> assertThat(collector.counters()).containsExactlyInAnyOrderEntriesOf(its));
                }
            }
        } finally {
            collectors.forEach(CollectorProgram::close);
        }
    }

    /** Lets it stop counting but keep running; returns what it counted, by the collector that owns each name. */
    private static List<Map<String, Long>> counted(Program sender, KetamaRing ring) throws Exception {
        sender.tell("enough");
        sender.awaitLine("^told$");
        List<Map<String, Long>> counted = new ArrayList<>();
        for (int i = 0; i < WEIGHTS.length; i++) {
            counted.add(new TreeMap<>());
        }
        KetamaHash hash = new KetamaHash();
        for (String line : sender.output()) {
            Matcher one = COUNTED.matcher(line);
            if (one.matches()) {
                byte[] name = one.group(1).getBytes(ISO_8859_1);
                counted.get(ring.owner(name, 0, name.length, hash)).put(one.group(1), Long.valueOf(one.group(2)));
            }
        }
        return counted;
    }
}
