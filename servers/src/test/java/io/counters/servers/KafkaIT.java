package io.counters.servers;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka 3, a broker and controller in one process; rules select its methods. */
class KafkaIT extends DrivenServer {
    private static final String TOPIC = "orders";

    private int port;

    @Override
    Program start(Path base, List<String> options) throws Exception {
        port = Ports.reserve();
        int controllerPort = Ports.reserve();
        Path settings = base.resolve("server.properties");
        Files.write(
                settings,
                List.of(
                        "process.roles=broker,controller",
                        "node.id=1",
                        "controller.quorum.voters=1@127.0.0.1:" + controllerPort,
                        "listeners=PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort,
                        "controller.listener.names=CONTROLLER",
                        "log.dirs=" + base.resolve("data"),
                        "num.partitions=1"));
        Files.write(
                base.resolve("log4j.properties"),
                List.of(
                        "log4j.rootLogger=INFO, stdout",
                        "log4j.appender.stdout=org.apache.log4j.ConsoleAppender",
                        "log4j.appender.stdout.layout=org.apache.log4j.PatternLayout",
                        "log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n"));
        try (Program format = Program.start(
                base,
                Map.of(),
                java(
                        List.of(),
                        "kafka.tools.StorageTool",
                        "format",
                        "-t",
                        "c291bnRlcnMtY291bnRlcg",
                        "-c",
                        settings.toString()))) {
            assertThat(format.awaitEnd()).as("%s", format).isZero();
        }
        return begin(base, Map.of(), java(options, "kafka.Kafka", settings.toString()));
    }

    private static List<String> java(List<String> options, String... main) throws IOException {
        List<String> command = new ArrayList<>(List.of(Program.java(), "-Xmx256m"));
        command.addAll(options);
        command.addAll(List.of("-Dlog4j.configuration=file:log4j.properties", "-cp", Folders.server("kafka") + "/*"));
        command.addAll(List.of(main));
        return command;
    }

    @Override
    String rules() {
        return "kafka.server.KafkaApis#handleProduceRequest=kafka.requests";
    }

    @Override
    boolean isReady(Program server) throws IOException {
        return server.says("Kafka Server started") && leads();
    }

    /** Whether the broker leads the topic, so that the first attempt to send a record succeeds. */
    private boolean leads() {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", "127.0.0.1:" + port))) {
            if (!admin.listTopics().names().get().contains(TOPIC)) {
                admin.createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1)))
                        .all()
                        .get();
            }
            admin.listOffsets(Map.of(new TopicPartition(TOPIC, 0), OffsetSpec.latest()))
                    .all()
                    .get();
            return true;
        } catch (ExecutionException notYet) {
            return false;
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    void request(int number) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", "127.0.0.1:" + port, "retries", 0);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(TOPIC, "order " + number)).get(30, TimeUnit.SECONDS);
        }
    }

    @Override
    void stop(Program server, Path base, List<String> options) {
        server.terminate();
    }

    @Override
    Map<String, Long> expected() {
        return Map.of("kafka.requests", 3L);
    }

    @Override
    List<Path> logs(Path base) {
        return List.of();
    }
}
