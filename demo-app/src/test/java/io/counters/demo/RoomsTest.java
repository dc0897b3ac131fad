package io.counters.demo;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LineMap;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The size of what a reader must understand at once, in main code: files, methods, and calls; which types are public; and the
 * arrows between packages, except those inside the collector, which its {@code ArchitectureTest} checks.
 *
 * <p>The benchmarks are left out: their tables are long.
 */
@Tag("once")
class RoomsTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final List<String> MODULES = List.of(
            "core",
            "agent",
            "junit",
            "maven-plugin",
            "micrometer",
            "spring-boot-starter",
            "collector",
            "demo-app",
            "test-support",
            "kafka",
            "opentsdb");
    private static final List<String> PUBLISHED =
            List.of("core", "agent", "junit", "maven-plugin", "micrometer", "spring-boot-starter", "collector");

    private static final int FILE_LINES_MAX = 450;
    private static final int METHOD_LINES_MAX = 60;

    /** Longer files, and why. Here and below, an entry that is not needed any more fails. */
    private static final Map<String, String> LONG_FILES = Map.of();

    /** Longer methods, and why. */
    private static final Map<String, String> LONG_METHODS = Map.of();

    private static final String READ_ONCE = "a record that one factory creates, from what it has read by name";
    private static final String ROW = "a row of a table, which one query reads by column";

    /** Methods and constructors with two booleans, and why. */
    private static final Map<String, String> TWO_BOOLEANS = Map.ofEntries(
            Map.entry("Changes.CounterRow.<init>", ROW),
            Map.entry("Changes.StreamRow.<init>", ROW),
            Map.entry("CountersProperties.<init>", READ_ONCE),
            Map.entry("CountersProperties.Sent.<init>", READ_ONCE),
            Map.entry("Explanation.Part.<init>", ROW),
            Map.entry("LedgerInspection.<init>", READ_ONCE),
            Map.entry("StreamReport.<init>", ROW),
            Map.entry("PublishSettings.<init>", READ_ONCE),
            Map.entry("Query.<init>", READ_ONCE),
            Map.entry("Rate.<init>", READ_ONCE),
            Map.entry("Shell.<init>", READ_ONCE));

    private static final String BY_NAME = "called by name, from another class loader or by the JVM";
    private static final String API = "an API for users";

    /** Public types that only their own package uses, and why. */
    private static final Map<String, String> PUBLIC_TYPES = Map.ofEntries(
            Map.entry("Agent", BY_NAME),
            Map.entry("Command", BY_NAME),
            Map.entry("Premain", BY_NAME),
            Map.entry("Main", BY_NAME),
            Map.entry("WeaveMojo", "Maven calls it"),
            Map.entry("Counted", API),
            Map.entry("CountedAssert", API),
            Map.entry("CountersExtension", API),
            Map.entry("CountersEndpoint", "Spring calls it"),
            Map.entry("SimulatedSender", "the simulated fleet in the tests has such senders"),
            Map.entry("Proxy", "the tests of other packages start one"));

    private static final JavaClasses MAIN = new ClassFileImporter()
            .importPaths(PUBLISHED.stream()
                    .map(module -> ROOT.resolve(module).resolve("target/classes"))
                    .toArray(Path[]::new));

    private static final Map<String, String> SOURCES = sources(MODULES);

    private static Map<String, String> sources(List<String> modules) {
        Map<String, String> sources = new TreeMap<>();
        for (String module : modules) {
            Path main = ROOT.resolve(module).resolve("src/main/java");
            if (!Files.isDirectory(main)) {
                continue;
            }
            try (Stream<Path> files = Files.walk(main)) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    sources.put(ROOT.relativize(file).toString().replace('\\', '/'), Files.readString(file));
                }
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }
        return sources;
    }

    /** The type that a file is named after. */
    private static String simple(String path) {
        return path.substring(path.lastIndexOf('/') + 1, path.length() - ".java".length());
    }

    @Test
    void no_file_is_too_long() {
        Set<String> tooLong = new TreeSet<>();
        SOURCES.forEach((path, text) -> {
            if (text.lines().count() > FILE_LINES_MAX) {
                tooLong.add(simple(path));
            }
        });

        assertThat(tooLong)
                .as("files of more than " + FILE_LINES_MAX + " lines")
                .isEqualTo(LONG_FILES.keySet());
    }

    @Test
    void no_method_is_too_long() throws IOException {
        Set<String> tooLong = new TreeSet<>();
        JavacTask parser = (JavacTask) ToolProvider.getSystemJavaCompiler()
                .getTask(
                        null,
                        null,
                        null,
                        List.of("-proc:none"),
                        null,
                        ToolProvider.getSystemJavaCompiler()
                                .getStandardFileManager(null, Locale.ROOT, null)
                                .getJavaFileObjects(SOURCES.keySet().stream()
                                        .map(ROOT::resolve)
                                        .toArray(Path[]::new)));
        SourcePositions positions = Trees.instance(parser).getSourcePositions();
        int[] methods = {0};
        for (CompilationUnitTree unit : parser.parse()) {
            LineMap lines = unit.getLineMap();
            new TreeScanner<Void, String>() {
                @Override
                public Void visitClass(ClassTree type, String outer) {
                    return super.visitClass(
                            type, outer.isEmpty() ? "" + type.getSimpleName() : outer + "." + type.getSimpleName());
                }

                @Override
                public Void visitMethod(MethodTree method, String type) {
                    methods[0]++;
                    long begin = lines.getLineNumber(positions.getStartPosition(unit, method));
                    long count = lines.getLineNumber(positions.getEndPosition(unit, method)) - begin + 1;
                    if (count > METHOD_LINES_MAX) {
                        tooLong.add(type + "." + method.getName());
                    }
                    return super.visitMethod(method, type);
                }
            }.scan(unit, "");
        }

        assertThat(methods[0]).isGreaterThan(2_000);
        assertThat(tooLong)
                .as("methods of more than " + METHOD_LINES_MAX + " lines")
                .isEqualTo(LONG_METHODS.keySet());
    }

    @Test
    void no_call_has_two_unnamed_booleans() {
        Set<String> found = new TreeSet<>();
        for (JavaClass type : MAIN) {
            for (JavaCodeUnit unit : type.getCodeUnits()) {
                boolean isWritten = !unit.getModifiers().contains(JavaModifier.SYNTHETIC);
                if (isWritten
                        && unit.getRawParameterTypes().stream()
                                        .filter(parameter -> parameter.isEquivalentTo(boolean.class))
                                        .count()
                                > 1) {
                    found.add(name(type) + "." + unit.getName());
                }
            }
        }

        assertThat(found).as("methods with two boolean parameters").isEqualTo(TWO_BOOLEANS.keySet());
    }

    private static String name(JavaClass type) {
        return type.getName().substring(type.getPackageName().length() + 1).replace('$', '.');
    }

    @Test
    void no_type_is_public_that_only_its_own_package_uses() {
        Set<String> used = new HashSet<>();
        for (JavaClass type : MAIN) {
            type.getDirectDependenciesFromSelf().forEach(dependency -> {
                JavaClass target = dependency.getTargetClass().getBaseComponentType();
                if (!target.getPackageName().equals(type.getPackageName())) {
                    used.add(target.getName().replaceAll("\\$.*", ""));
                }
            });
        }
        // What javac inlines, what is called by name, and the benchmarks.
        Map<String, String> texts = new HashMap<>(SOURCES);
        texts.putAll(sources(List.of("benchmarks")));
        Pattern named = Pattern.compile("\\bio\\.counters\\.[a-z.]*[A-Z]\\w*");
        texts.forEach((path, text) -> {
            Matcher names = named.matcher(text.replaceAll("(?s)/\\*.*?\\*/", ""));
            while (names.find()) {
                String name = names.group();
                if (!path.endsWith("src/main/java/"
                        + name.substring(0, name.lastIndexOf('.')).replace('.', '/')
                        + path.substring(path.lastIndexOf('/')))) {
                    used.add(name);
                }
            }
        });
        Set<String> own = new TreeSet<>();
        for (JavaClass type : MAIN) {
            if (type.isTopLevelClass()
                    && type.getModifiers().contains(JavaModifier.PUBLIC)
                    && !used.contains(type.getName())) {
                own.add(name(type));
            }
        }

        assertThat(own).as("public types that only their own package uses").isEqualTo(PUBLIC_TYPES.keySet());
    }

    @Test
    void each_package_says_whether_users_may_build_on_it() {
        Set<String> neither = new TreeSet<>();
        SOURCES.forEach((path, text) -> {
            if (path.endsWith("package-info.java")
                    && PUBLISHED.contains(path.substring(0, path.indexOf('/')))
                    && !text.contains(" * <p>An API that users may build on.\n")
                    && !text.contains(" * <p>Internal: any release may change it.\n")) {
                neither.add(path.replaceAll(".*/java/io/counters/|/package-info.java", "")
                        .replace('/', '.'));
            }
        });

        assertThat(neither).isEmpty();
    }

    @Test
    void packages_form_no_circle() {
        slices().matching("io.counters.(**)").should().beFreeOfCycles().check(MAIN);
    }

    @ParameterizedTest
    @CsvSource({
        "io.counters,                 cells wire emit",
        "io.counters.cells,           ''",
        "io.counters.wire,            ''",
        "io.counters.ring,            ''",
        "io.counters.emit,            cells wire ring",
        "io.counters.junit,           wire emit",
        "io.counters.micrometer,      API cells wire emit",
        "io.counters.spring,          API cells wire emit micrometer",
        "io.counters.agent,           cells emit wire agent.settings agent.weave",
        "io.counters.agent.settings,  wire emit",
        "io.counters.agent.weave,     wire agent.settings",
        "io.counters.maven,           agent",
    })
    void a_package_of_the_sender_uses_only_the_packages_listed_for_it(String room, String shown) {
        List<String> allowed = new ArrayList<>(List.of(room));
        for (String other : shown.split(" ", -1)) {
            if (!other.isEmpty()) {
                allowed.add(other.equals("API") ? "io.counters" : "io.counters." + other);
            }
        }
        assertThat(MAIN.stream()
                        .filter(type -> type.getPackageName().equals(room))
                        .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                        .map(dependency -> dependency.getTargetClass().getPackageName()))
                .as("the packages that " + room + " uses")
                .containsAll(allowed.subList(1, allowed.size()));

        noClasses()
                .that()
                .resideInAPackage(room)
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.counters..")
                        .and(DescribedPredicate.not(resideInAnyPackage(allowed.toArray(String[]::new)))))
                .check(MAIN);
    }
}
