package io.counters.benchmarks.startup;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/**
 * Measures how much the agent adds to a JVM's start, and prints a Markdown table.
 *
 * <pre>{@code
 * java -cp benchmarks/target/benchmarks.jar io.counters.benchmarks.startup.StartUp [--runs 20] [--agent FILE] [JDK]...
 * }</pre>
 *
 * <p>Each JDK, given by its folder, runs {@link Program} with {@value #CLASSES} classes in these variants: without an
 * agent, with the {@link EmptyAgent}, with the {@link SeeingAgent}, with the agent that sends nothing, and with the
 * agent. Each variant runs without an archive, with an AppCDS archive that was made without any agent, and, on a JDK of
 * 25 or newer, with an AOT cache trained with the same agent. The figures are the CPU time, user and system, of the
 * whole process in seconds, which its parent gets from the kernel (bash's {@code time}). All variants take turns, and a
 * difference is the median of the differences within a turn, because other load on the machine affects all variants of
 * a turn equally. The agent sends to a socket of this process.
 */
public final class StartUp {
    static final int CLASSES = 5000;

    private static final String NONE = "none";
    private static final String EMPTY = "empty premain";
    private static final String SEEING = "transformer that does nothing";
    private static final String SILENT = "counters.jar that sends nothing";
    private static final String AGENT = "counters.jar";

    private final Path folder;
    private final PrintStream out;
    private final int runs;
    private final Path program;
    private final Map<String, List<String>> agents = new LinkedHashMap<>();

    private StartUp(Path folder, PrintStream out, int runs, Path agent, int port) throws IOException {
        this.folder = folder;
        this.out = out;
        this.runs = runs;
        program = folder.resolve("program.jar");
        writeProgram(program);
        agents.put(NONE, List.of());
        agents.put(EMPTY, List.of("-javaagent:" + writeAgent(EmptyAgent.class)));
        agents.put(SEEING, List.of("-javaagent:" + writeAgent(SeeingAgent.class)));
        agents.put(SILENT, List.of("-javaagent:" + agent.toAbsolutePath() + "=collector=none"));
        agents.put(AGENT, List.of("-javaagent:" + agent.toAbsolutePath() + "=collector=localhost:" + port));
    }

    /** Runs everything; 10 runs take about four minutes per JDK, or six minutes on 25. */
    public static void main(String... arguments) throws IOException, InterruptedException {
        int runs = 20;
        Path agent = Path.of("agent/target/counters.jar");
        List<Path> jdks = new ArrayList<>();
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--runs" -> runs = Integer.parseInt(arguments[++i]);
                case "--agent" -> agent = Path.of(arguments[++i]);
                default -> jdks.add(Path.of(arguments[i]));
            }
        }
        if (jdks.isEmpty()) {
            jdks.add(Path.of(System.getProperty("java.home")));
        }
        if (!Files.isRegularFile(agent)) {
            System.err.println("startup: " + agent + " is missing; build it with: mvn -q package -DskipTests");
            System.exit(2);
        }
        Path folder = Files.createTempDirectory("startup");
        try (DatagramSocket collector =
                new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            StartUp startUp = new StartUp(folder, System.out, runs, agent, collector.getLocalPort());
            startUp.header();
            for (Path jdk : jdks) {
                startUp.measure(jdk);
            }
        } finally {
            delete(folder);
        }
    }

    /** A variant of the start: the agent, and whether there is an annotated class. */
    private record Variant(String agent, boolean marked) {}

    private void header() {
        out.println("| JDK | class data | agent | nothing annotated | more than empty | one annotated class |"
                + " more than empty | classes from the archive |");
        out.println("| --- | --- | --- | --- | --- | --- | --- | --- |");
    }

    private void measure(Path jdk) throws IOException, InterruptedException {
        String version = version(jdk);
        table(jdk, version, "the JDK's", forAll(List.of()));

        Path archive = folder.resolve("program-" + version + ".jsa");
        run(jdk, List.of("-XX:ArchiveClassesAtExit=" + archive), true);
        List<String> shared = List.of("-XX:SharedArchiveFile=" + archive);
        table(jdk, version, "AppCDS, made without agent", forAll(shared));

        if (Integer.parseInt(version.split("\\D")[0]) >= 25) {
            Map<String, List<String>> trained = new LinkedHashMap<>();
            for (Map.Entry<String, List<String>> agent : agents.entrySet()) {
                Path cache = folder.resolve("program-" + trained.size() + ".aot");
                List<String> training = new ArrayList<>(agent.getValue());
                training.add("-XX:AOTCacheOutput=" + cache);
                run(jdk, training, true);
                trained.put(agent.getKey(), List.of("-XX:AOTCache=" + cache));
            }
            table(jdk, version, "AOT cache, trained with the same agent", trained);
        }
    }

    private Map<String, List<String>> forAll(List<String> options) {
        Map<String, List<String>> all = new LinkedHashMap<>();
        agents.keySet().forEach(agent -> all.put(agent, options));
        return all;
    }

    /** Runs all variants in turns and prints a row for each agent. */
    private void table(Path jdk, String version, String classData, Map<String, List<String>> options)
            throws IOException, InterruptedException {
        List<Variant> variants = agents.keySet().stream()
                .flatMap(agent -> Stream.of(new Variant(agent, false), new Variant(agent, true)))
                .toList();
        Map<Variant, double[]> seconds = new LinkedHashMap<>();
        variants.forEach(variant -> seconds.put(variant, new double[runs]));
        // The first turn fills the caches of the machine and does not count.
        for (int turn = -1; turn < runs; turn++) {
            for (int i = 0; i < variants.size(); i++) {
                Variant variant = variants.get(Math.floorMod(i + turn, variants.size()));
                double spent = seconds(jdk, options(variant, options), variant.marked());
                if (turn >= 0) {
                    seconds.get(variant)[turn] = spent;
                }
            }
        }
        for (String agent : agents.keySet()) {
            StringBuilder row = new StringBuilder("| " + version + " | " + classData + " | " + agent);
            for (boolean marked : new boolean[] {false, true}) {
                double[] of = seconds.get(new Variant(agent, marked));
                double[] empty = seconds.get(new Variant(EMPTY, marked));
                double[] more = new double[runs];
                Arrays.setAll(more, turn -> of[turn] - empty[turn]);
                row.append(String.format(Locale.ROOT, " | %.3f | ", quantile(of, 0.5)));
                row.append(
                        agent.equals(EMPTY)
                                ? "0"
                                : String.format(
                                        Locale.ROOT,
                                        "%+.3f (%+.3f to %+.3f)",
                                        quantile(more, 0.5),
                                        quantile(more, 0.25),
                                        quantile(more, 0.75)));
            }
            out.println(row.append(" | ")
                    .append(fromArchive(jdk, options(new Variant(agent, true), options)))
                    .append(" |"));
        }
    }

    private List<String> options(Variant variant, Map<String, List<String>> more) {
        return Stream.concat(more.get(variant.agent()).stream(), agents.get(variant.agent()).stream())
                .toList();
    }

    private double seconds(Path jdk, List<String> options, boolean marked) throws IOException, InterruptedException {
        String[] lines = run(jdk, options, marked).strip().split("\n");
        String[] userAndSystem = lines[lines.length - 1].split(" ");
        return Double.parseDouble(userAndSystem[0]) + Double.parseDouble(userAndSystem[1]);
    }

    /** The number of loaded classes that came from an archive, and of all. */
    private String fromArchive(Path jdk, List<String> options) throws IOException, InterruptedException {
        Path log = folder.resolve("loaded.log");
        List<String> logging = new ArrayList<>(options);
        logging.add("-Xlog:class+load:file=" + log);
        run(jdk, logging, true);
        List<String> loaded = Files.readAllLines(log);
        long shared = loaded.stream()
                .filter(line -> line.contains("source: shared objects file"))
                .count();
        return shared + " of " + loaded.size();
    }

    /** Runs the program to its end; returns its stderr, followed by a line with user and system seconds. */
    private String run(Path jdk, List<String> options, boolean marked) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("bash", "-c", "TIMEFORMAT='%3U %3S'; time \"$@\"", "bash"));
        command.add(jdk.resolve("bin/java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", program.toString(), Program.class.getName(), Integer.toString(CLASSES)));
        if (marked) {
            command.add("marked");
        }
        File said = folder.resolve("said").toFile();
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectError(said)
                .redirectOutput(folder.resolve("printed").toFile());
        builder.environment().put("LC_ALL", "C");
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        int status = builder.start().waitFor();
        String text = Files.readString(said.toPath());
        if (status != 0) {
            throw new IOException(String.join(" ", command) + " ended with status " + status + ": " + text);
        }
        return text;
    }

    private static double quantile(double[] values, double part) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double at = part * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }

    private static String version(Path jdk) throws IOException {
        return Files.readAllLines(jdk.resolve("release"), UTF_8).stream()
                .filter(line -> line.startsWith("JAVA_VERSION="))
                .map(line -> line.replaceAll(".*=|\"", ""))
                .findFirst()
                .orElseThrow(
                        () -> new IOException(jdk + " is not a JDK: its file \"release\" contains no JAVA_VERSION"));
    }

    private static void writeProgram(Path jar) throws IOException {
        byte[] part = classFile(Part0000.class);
        try (JarOutputStream classes = new JarOutputStream(Files.newOutputStream(jar))) {
            add(classes, Program.class, classFile(Program.class));
            add(classes, Marked.class, classFile(Marked.class));
            String template = Part0000.class.getSimpleName();
            for (int i = 0; i < CLASSES; i++) {
                String copy =
                        template.replace("0000", Integer.toString(10_000 + i).substring(1));
                // The same length, so that nothing else in the class file changes.
                String renamed = new String(part, ISO_8859_1).replace(template, copy);
                classes.putNextEntry(new JarEntry(path(Part0000.class).replace(template, copy)));
                classes.write(renamed.getBytes(ISO_8859_1));
            }
        }
    }

    private Path writeAgent(Class<?> agent) throws IOException {
        Path jar = folder.resolve(agent.getSimpleName() + ".jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(new Attributes.Name("Premain-Class"), agent.getName());
        manifest.getMainAttributes().put(new Attributes.Name("Can-Redefine-Classes"), "true");
        manifest.getMainAttributes().put(new Attributes.Name("Can-Retransform-Classes"), "true");
        try (OutputStream bytes = Files.newOutputStream(jar);
                JarOutputStream classes = new JarOutputStream(bytes, manifest)) {
            add(classes, agent, classFile(agent));
        }
        return jar;
    }

    private static void add(JarOutputStream jar, Class<?> type, byte[] bytes) throws IOException {
        jar.putNextEntry(new JarEntry(path(type)));
        jar.write(bytes);
    }

    private static byte[] classFile(Class<?> type) throws IOException {
        try (InputStream in = StartUp.class.getClassLoader().getResourceAsStream(path(type))) {
            if (in == null) {
                throw new IOException(
                        path(type) + " is not on the class path; build it with: mvn -q package -DskipTests");
            }
            return in.readAllBytes();
        }
    }

    private static String path(Class<?> type) {
        return type.getName().replace('.', '/') + ".class";
    }

    private static void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(folder)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }
}
