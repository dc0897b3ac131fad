package io.counters.testsupport;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Real Kafka brokers: each a JVM of the module {@code kafka}, on loopback ports that it keeps, with its files in a folder of
 * its own. They end with the JVM that started them, even if that is killed. Three brokers replicate each topic three times
 * unless told otherwise, of which two must be in sync, and survive the loss of one. Topics must be created. Call from one
 * thread at a time.
 */
public final class Brokers implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final int LINES_MAX = 500;
    /** From the folder of any module. */
    private static final Path BUILT =
            Path.of("..", "kafka", "target").toAbsolutePath().normalize();

    private static final Path CLASS_PATH = BUILT.resolve("class-path");

    private static final Path JAR = BUILT.resolve("counters-kafka.jar");

    private static final ClassArchive CLASSES = new ClassArchive(JAR, List.of(CLASS_PATH), Brokers::useClasses);

    private static final List<String> SMALL_AND_SOON =
            List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError");

    private final Path folder;
    private final List<String> jvm;
    private final List<String> settings;
    private final List<Integer> ports = new ArrayList<>();
    private final List<Integer> controllerPorts = new ArrayList<>();
    private final List<Broker> brokers = new ArrayList<>();

    private Brokers(int count, List<String> jvm, List<String> settings) throws IOException {
        this.jvm = jvm;
        this.settings = settings;
        for (int i = 0; i < count; i++) {
            ports.add(Ports.reserve());
            controllerPorts.add(Ports.reserve());
        }
        folder = Files.createTempDirectory("brokers");
    }

    /**
     * Starts brokers and waits until each serves clients.
     *
     * @param count 1 or more; with 3, one may be away
     * @param settings of each broker, as {@code key=value}; they override those that the module {@code kafka} chooses
     */
    public static Brokers start(int count, String... settings) throws IOException, InterruptedException {
        return start(count, SMALL_AND_SOON, List.of(settings));
    }

    /** As {@link #start(int, String...)}, with options of the JVMs, which are else for a quick start in 256 MB. */
    public static Brokers start(int count, List<String> jvm, List<String> settings)
            throws IOException, InterruptedException {
        if (!Files.isRegularFile(CLASS_PATH) || !Files.isRegularFile(JAR)) {
            throw new IOException(
                    "there is no " + CLASS_PATH + " or no " + JAR + "; build them with mvn -pl kafka process-classes");
        }
        List<String> options = new ArrayList<>(jvm);
        options.addAll(CLASSES.options());
        return launched(new Brokers(count, List.copyOf(options), List.copyOf(settings)));
    }

    private static Brokers launched(Brokers started) throws IOException, InterruptedException {
        try {
            for (int i = 0; i < started.ports.size(); i++) {
                started.brokers.add(started.launch(i));
            }
            for (Broker broker : started.brokers) {
                broker.awaitReady();
            }
            return started;
        } catch (Throwable notReady) {
            started.close();
            throw notReady;
        }
    }

    /** Starts a broker and ends it, for an archive of its classes. */
    private static void useClasses(List<String> options) throws IOException {
        List<String> jvm = new ArrayList<>(SMALL_AND_SOON);
        jvm.addAll(options);
        try (Brokers one = launched(new Brokers(1, jvm, List.of()))) {
            one.brokers.get(0).endInOrder();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a broker ran for its classes");
        }
    }

    /** The addresses of all brokers, whether they run or not, as {@code HOST:PORT,HOST:PORT}. */
    public String bootstrap() {
        return ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
    }

    public int count() {
        return brokers.size();
    }

    /** The process ID, such as for its CPU time in {@code /proc}. */
    public long pid(int i) {
        return brokers.get(i).process.pid();
    }

    /** Where it keeps the segments of a partition. */
    public Path folder(int i, String topic, int partition) {
        return folder.resolve(Integer.toString(i)).resolve(topic + "-" + partition);
    }

    /** Sends SIGKILL, also to one that is paused, and waits for the end. Its files stay. */
    public void kill(int i) throws InterruptedException {
        brokers.get(i).kill();
    }

    /** Lets it hang by SIGSTOP: its connections stay open, and it answers nothing. It goes on when this JVM ends. */
    public void pause(int i) throws IOException {
        brokers.get(i).pause();
    }

    /** Lets one that is paused go on. */
    public void resume(int i) throws IOException, InterruptedException {
        brokers.get(i).resume();
    }

    /** Starts one again on its port and with its files, and waits until it serves clients; kills it before if it runs. */
    public void restart(int i) throws IOException, InterruptedException {
        kill(i);
        brokers.set(i, launch(i));
        brokers.get(i).awaitReady();
    }

    /** Starts those again that were killed, and lets those that are paused go on, for a test that has them after another one. */
    public void heal() throws IOException, InterruptedException {
        for (int i = 0; i < count(); i++) {
            if (brokers.get(i).process.isAlive()) {
                resume(i);
            } else {
                restart(i);
            }
        }
    }

    /** Kills all, and deletes their files. */
    @Override
    public void close() {
        try {
            for (Broker broker : brokers) {
                broker.kill();
            }
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        } catch (IOException deletedAlready) {
            // By whoever else.
        }
    }

    /** The last lines of each broker's log, for the message of a failing test. */
    @Override
    public String toString() {
        return brokers.stream().map(Broker::toString).collect(Collectors.joining("\n"));
    }

    private Broker launch(int i) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvm);
        command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
        command.add("-cp");
        command.add(Files.readString(CLASS_PATH).strip() + File.pathSeparator + JAR);
        command.add("io.counters.kafka.LeashedBroker");
        command.add(folder.resolve(Integer.toString(i)).toString());
        command.add(Integer.toString(i));
        command.add(IntStream.range(0, ports.size())
                .mapToObj(each -> ports.get(each) + ":" + controllerPorts.get(each))
                .collect(Collectors.joining(",")));
        command.addAll(settings);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        return new Broker(i, builder.start());
    }

    /** One process of a broker, and its log. */
    private static final class Broker {
        private final int index;
        private final Process process;
        private final Deque<String> lines = new ArrayDeque<>();
        private final CompletableFuture<Void> ready = new CompletableFuture<>();
        private @Nullable Pause pause;

        Broker(int index, Process process) {
            this.index = index;
            this.process = process;
            Thread reader = new Thread(this::read, "broker-reader-" + index);
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            String isReady = "broker " + index + " is ready";
            try (BufferedReader log = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
                for (String line = log.readLine(); line != null; line = log.readLine()) {
                    synchronized (lines) {
                        if (lines.size() == LINES_MAX) {
                            lines.removeFirst();
                        }
                        lines.add(line);
                    }
                    if (line.equals(isReady)) {
                        ready.complete(null);
                    }
                }
            } catch (IOException closed) {
                // It has ended.
            }
            ready.completeExceptionally(new IOException("it ended"));
        }

        void awaitReady() throws InterruptedException {
            try {
                ready.get(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException | TimeoutException notReady) {
                throw new AssertionError("broker " + index + " did not start " + this, notReady);
            }
        }

        void pause() throws IOException {
            if (pause == null) {
                pause = Pause.of(process.pid());
            }
        }

        void resume() throws IOException, InterruptedException {
            if (pause != null) {
                pause.resume();
                pause = null;
            }
        }

        /** Ends its input, at which it halts. */
        void endInOrder() throws IOException, InterruptedException {
            process.getOutputStream().close();
            if (!process.waitFor(DEADLINE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("the broker has not ended with its input");
            }
        }

        void kill() throws InterruptedException {
            process.destroyForcibly().waitFor();
            if (pause != null) {
                pause.close();
                pause = null;
            }
        }

        @Override
        public String toString() {
            synchronized (lines) {
                return "--- broker " + index + (process.isAlive() ? "" : ", ended with " + process.exitValue()) + "\n"
                        + String.join("\n", lines);
            }
        }
    }
}
