package io.counters.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The output of {@code list} of counters.jar. {@code RulesIT} compares it with what is counted. */
class ListIT {
    private static final Path PACKAGE = Path.of("io", "counters", "fixture");

    @TempDir
    Path folder = Path.of("");

    /** The exit status and output of a command. */
    record Listed(int status, String out, String err) {
        /** The value of each counter after each method was called once, and {@code failing} failed. */
        Map<String, Long> foretold() {
            Map<String, Long> counts = new TreeMap<>();
            out.lines()
                    .filter(line ->
                            line.contains("failing") ? line.matches(".*(throw|exit|entry)$") : !line.endsWith(" throw"))
                    .forEach(line -> counts.merge(line.split(" ", -1)[2], 1L, Long::sum));
            return counts;
        }
    }

    /** Runs {@code list}. */
    static Listed list(Path app, String... settings) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(app.toString()));
        arguments.addAll(List.of(settings));
        return run("ListCommand", arguments);
    }

    /** Runs a command in the agent's loader, as counters.jar does. */
    static Listed run(String command, List<String> arguments) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        try (JarFile jar = new JarFile(System.getProperty("counters.jar"))) {
            Method run = Class.forName("io.counters.agent." + command, true, new AgentLoader(jar))
                    .getDeclaredMethod("run", String[].class, PrintStream.class, PrintStream.class);
            run.setAccessible(true);
            Object status = run.invoke(
                    null,
                    arguments.toArray(new String[0]),
                    new PrintStream(out, true, UTF_8),
                    new PrintStream(err, true, UTF_8));
            return new Listed((Integer) status, out.toString(UTF_8), err.toString(UTF_8));
        }
    }

    /** Copies the classes of the fixture {@code Heirs} into a folder. */
    static void copyHeirs(Path into) throws IOException {
        copy(into, "Heirs");
    }

    private static void copy(Path into, String prefix) throws IOException {
        Files.createDirectories(into.resolve(PACKAGE));
        try (Stream<Path> files = Files.list(ChildJvm.FIXTURES.resolve(PACKAGE))) {
            for (Path file : files.filter(file -> file.getFileName().toString().matches(prefix + "(\\$.*)?\\.class"))
                    .toList()) {
                Files.copy(file, into.resolve(PACKAGE).resolve(file.getFileName()));
            }
        }
    }

    @Test
    void a_folder_a_jar_a_war_and_a_fat_jar_are_listed_alike() throws Exception {
        copyHeirs(folder.resolve("classes"));
        Path classes = folder.resolve("classes");
        Path jar = zip(folder.resolve("app.jar"), "", classes);
        Path split = folder.resolve("fat.jar");
        try (ZipOutputStream fat = new ZipOutputStream(Files.newOutputStream(split))) {
            fat.putNextEntry(new ZipEntry("BOOT-INF/lib/app.jar"));
            fat.write(Files.readAllBytes(jar));
        }
        Path executable = Files.writeString(folder.resolve("executable.jar"), "#!/bin/sh\nexec java -jar \"$0\"\n");
        Files.write(executable, Files.readAllBytes(jar), StandardOpenOption.APPEND);

        Listed of = list(classes, "inherit=true", "metaAnnotations=io.counters.fixture.Heirs$Timed");

        assertThat(of.out().lines())
                .contains(
                        "io.counters.fixture.Heirs$Impl#serve(java.lang.String) = service.serve/Heirs.Service entry",
                        "io.counters.fixture.Heirs$Annotated#timed() = timed.timed return",
                        "io.counters.fixture.Heirs$Annotated#timed() = timed.errors throw")
                .hasSize(15);
        assertThat(of.status()).isZero();
        for (Path app : List.of(
                jar,
                split,
                executable,
                zip(folder.resolve("boot.jar"), "BOOT-INF/classes/", classes),
                zip(folder.resolve("app.war"), "WEB-INF/classes/", classes))) {
            assertThat(list(app, "inherit=true", "metaAnnotations=io.counters.fixture.Heirs$Timed"))
                    .as(app.toString())
                    .isEqualTo(of);
        }
    }

    @Test
    void every_moment_and_amount_is_listed() throws Exception {
        copy(folder, "Marked");

        assertThat(list(folder, "app=shop").out().lines())
                .contains(
                        "io.counters.fixture.Marked#byDefault() = io.counters.fixture.Marked.byDefault entry",
                        "io.counters.fixture.Marked#aDouble(double) = returned exit",
                        "io.counters.fixture.Marked#flight(java.lang.RuntimeException) = flights.open in flight",
                        "io.counters.fixture.Marked#amount() = amount.down entry by -2",
                        "io.counters.fixture.Marked#templates() = shop/Marked-templates/io.counters.fixture entry",
                        "io.counters.fixture.Marked#onlyThrow(java.lang.RuntimeException) = some.thrown throw"
                                + " on java.lang.ArithmeticException");
    }

    @Test
    void each_mark_that_will_not_work_is_reported_with_its_remedy_and_the_exit_status_is_1() throws Exception {
        copyHeirs(folder);
        copy(folder, "Shapes");
        copy(folder, "Made");

        Listed listed = list(
                folder,
                "methods='io.counters.fixture.Heirs#absent;no.such.Thing;+io.counters.fixture.Heirs#main = ;"
                        + "io.counters.fixture.Heirs$Whole#one;java.util.StringJoiner#add = joined'");

        assertThat(listed.status()).isEqualTo(1);
        assertThat(listed.out()).contains("java.util.StringJoiner#add(java.lang.CharSequence) = joined entry");
        assertThat(listed.err().lines())
                .anyMatch(line -> line.startsWith("io.counters.fixture.Shapes.corners: an abstract method has no code")
                        && line.endsWith("annotate the methods that implement it, or set inherit=true"))
                .anyMatch(line -> line.startsWith("io.counters.fixture.Heirs$Whole.one: an abstract method has no code")
                        && line.endsWith("begin the rule with + to count the methods that implement it"))
                .anyMatch(line -> line.startsWith("io.counters.fixture.Heirs$Whole: @Count on a class applies to"))
                .anyMatch(line -> line.endsWith("set metaAnnotations=io.counters.fixture.Heirs$Timed"))
                .anyMatch(line -> line.startsWith("io.counters.fixture.Made.<init>: a constructor counts at"))
                .anyMatch(line -> line.contains("there is no name after ="))
                .anyMatch(line -> line.startsWith("rule \"io.counters.fixture.Heirs#absent\" matches nothing in"))
                .anyMatch(line -> line.startsWith("rule \"no.such.Thing\" matches nothing in"))
                .noneMatch(line -> line.startsWith("rule \"java.util"));
    }

    @Test
    void a_file_without_classes_is_reported_and_the_exit_status_is_2() throws Exception {
        Path text = Files.writeString(folder.resolve("notes.txt"), "no jar");

        assertThat(list(text).status()).isEqualTo(2);
        assertThat(list(text).err()).contains("it is not a jar, war or folder");
        assertThat(list(folder).err()).contains("it contains no class");
        assertThat(list(folder.resolve("nowhere.jar")).err()).contains("nowhere.jar cannot be listed", "usage: ");
    }

    @Test
    void a_missing_supertype_is_reported_and_the_exit_status_is_0() throws Exception {
        copyHeirs(folder);
        Files.delete(folder.resolve(PACKAGE).resolve("Heirs$Client.class"));

        Listed listed = list(folder, "inherit=true", "metaAnnotations=io.counters.fixture.Heirs$Timed");

        assertThat(listed.status()).isZero();
        assertThat(listed.err()).contains("Heirs$Client: its class file cannot be read");
    }

    @Test
    void a_broken_class_or_library_is_reported_and_the_rest_is_listed() throws Exception {
        copyHeirs(folder);
        Files.writeString(folder.resolve("Broken.class"), "no class");
        Files.writeString(folder.resolve("broken.jar"), "PK\u0003\u0004 no jar");

        Listed listed = list(folder, "metaAnnotations=io.counters.fixture.Heirs$Timed");

        assertThat(listed.status()).isEqualTo(1);
        assertThat(listed.err())
                .contains("Broken.class: it is not a readable class file")
                .contains("broken.jar: it is not a readable jar");
        assertThat(listed.out()).contains("= stubborn entry");
    }

    private static Path zip(Path zip, String prefix, Path classes) throws IOException {
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip));
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new ZipEntry(
                        prefix + classes.relativize(file).toString().replace('\\', '/')));
                out.write(Files.readAllBytes(file));
            }
        }
        return zip;
    }
}
