package io.counters.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * One of a few Kafka brokers on the loopback address, which is also a controller (KRaft, combined mode), with its files in
 * one folder.
 */
public final class Broker {
    /** Any text; a second start with the same folder needs the same. */
    private static final String CLUSTER = "counters";

    private Broker() {}

    /**
     * Prints {@code broker INDEX is ready} once it serves clients, and runs until SIGTERM.
     *
     * @param arguments its folder, which is created; its index, from 0; of each broker by index {@code
     *     PORT:CONTROLLER_PORT}, separated by commas; then settings, each as {@code key=value}, that override ours
     */
    public static void main(String[] arguments) {
        int index = Integer.parseInt(arguments[1]);
        try {
            KafkaConfig settings = KafkaConfig.fromProps(
                    settings(
                            arguments[0],
                            index,
                            Arrays.stream(arguments[2].split(","))
                                    .map(ports -> ports.split(":"))
                                    .toList(),
                            Arrays.asList(arguments).subList(3, arguments.length)),
                    false);
            format(arguments[0], index);
            KafkaRaftServer server = new KafkaRaftServer(settings, Time.SYSTEM);
            Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown, "stop"));
            server.startup();
            System.out.println("broker " + index + " is ready");
            server.awaitShutdown();
        } catch (Exception | LinkageError failure) {
            failure.printStackTrace();
            // Threads that have started would keep the process running.
            Runtime.getRuntime().halt(1);
        }
    }

    private static Properties settings(String folder, int index, List<String[]> ports, List<String> overrides) {
        int brokers = ports.size();
        String replicas = Integer.toString(Math.min(3, brokers));
        String inSync = Integer.toString(Math.min(2, brokers));
        Properties settings = new Properties();
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", Integer.toString(index));
        settings.put("log.dirs", folder);
        settings.put(
                "controller.quorum.voters",
                IntStream.range(0, brokers)
                        .mapToObj(each -> each + "@127.0.0.1:" + ports.get(each)[1])
                        .collect(Collectors.joining(",")));
        settings.put("listener.security.protocol.map", "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT");
        settings.put("controller.listener.names", "CONTROLLER");
        settings.put("inter.broker.listener.name", "CLIENTS");
        settings.put(
                "listeners",
                "CLIENTS://127.0.0.1:" + ports.get(index)[0] + ",CONTROLLER://127.0.0.1:" + ports.get(index)[1]);
        settings.put("auto.create.topics.enable", "false");
        settings.put("default.replication.factor", replicas);
        settings.put("min.insync.replicas", inSync);
        settings.put("offsets.topic.num.partitions", "3");
        settings.put("offsets.topic.replication.factor", replicas);
        settings.put("transaction.state.log.num.partitions", "3");
        settings.put("transaction.state.log.replication.factor", replicas);
        settings.put("transaction.state.log.min.isr", inSync);
        settings.put("share.coordinator.state.topic.num.partitions", "1");
        settings.put("share.coordinator.state.topic.replication.factor", replicas);
        settings.put("share.coordinator.state.topic.min.isr", inSync);
        settings.put("group.initial.rebalance.delay.ms", "0");
        // A killed broker is noticed sooner than after the usual 9 s, and a slow one on a busy machine is not taken for
        // dead.
        settings.put("broker.heartbeat.interval.ms", "500");
        settings.put("broker.session.timeout.ms", "6000");
        // Small heaps: the cleaner alone would take 128 MB.
        settings.put("log.cleaner.dedupe.buffer.size", "4194304");
        // An idle controller would write a record twice a second, which each of them stores.
        settings.put("metadata.max.idle.interval.ms", "5000");
        settings.put("num.network.threads", "2");
        settings.put("num.io.threads", "2");
        settings.put("background.threads", "2");
        settings.put("num.recovery.threads.per.data.dir", "1");
        for (String override : overrides) {
            int equals = override.indexOf('=');
            settings.put(override.substring(0, equals), override.substring(equals + 1));
        }
        return settings;
    }

    /** Makes the folder a broker's, once. */
    private static void format(String folder, int index) throws Exception {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        try {
            new Formatter()
                    .setPrintStream(new PrintStream(said, true, UTF_8))
                    .setClusterId(CLUSTER)
                    .setNodeId(index)
                    .setControllerListenerName("CONTROLLER")
                    .addDirectory(folder)
                    .setMetadataLogDirectory(folder)
                    .setIgnoreFormatted(true)
                    .run();
        } catch (Exception failed) {
            System.err.print(said.toString(UTF_8));
            throw failed;
        }
    }
}
