package io.counters.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.Counters;
import io.counters.wire.Rejection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Checks the documents against the code: README.md, the other pages at the root, and docs. It reads source files as text, so
 * it does not depend on the modules that it checks.
 */
@Tag("once")
class DocumentsTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final String OPERATIONS = "docs/operations.md";
    private static final String COLLECTOR = "collector/src/main/java/io/counters/collector/";

    /** Names in the pages for contributors that look like a class of ours. */
    private static final Set<String> NO_CLASSES_OF_OURS = Set.of(
            "Util",
            "Helper",
            "Manager",
            "Impl",
            "DatagramChannel",
            "LongAdder",
            "Thread",
            "ThreadLocal",
            "Lookup",
            "System",
            "OutOfMemoryError",
            "StackOverflowError",
            "CountersCellSource",
            "CountersCompletion");

    private static final int README_LINES_MAX = 200;
    private static final int LINE_CHARS_MAX = 120;

    /** Shorter texts are not specific enough to find a message by. */
    private static final int TEXT_CHARS_MIN = 12;

    /** The calls that log; other methods with these names pass their text to one of them. */
    private static final Pattern LOGS = Pattern.compile("\\b(?:log|faults|warning)\\.\\w+\\($");

    /** Classes that log texts from other places, such as the rules of the enums that another test reads. */
    private static final Set<String> LOGGED_FROM_ELSEWHERE = Set.of(
            "Committer.java",
            "Fleet.java",
            "LineRecords.java",
            "ResponsePolicy.java",
            "HttpSink.java",
            "Owner.java",
            "Pusher.java",
            "FaultLog.java",
            "Rejections.java",
            "SumSender.java",
            "UdpUpstream.java",
            "Agent.java",
            "LiveSettings.java",
            "MessageRejections.java",
            "RefusedMarks.java",
            "FunctionReader.java",
            "Rules.java");

    /** Each page's text by its path from the root, with slashes. */
    private static final Map<String, String> PAGES = pages();

    private static Map<String, String> pages() {
        Map<String, String> pages = new TreeMap<>();
        for (Path folder : List.of(ROOT, ROOT.resolve("docs"), ROOT.resolve(".github"))) {
            try (Stream<Path> files = Files.walk(folder, folder.equals(ROOT) ? 1 : 4)) {
                files.filter(file -> file.toString().endsWith(".md"))
                        .forEach(file -> pages.put(path(file), read(file)));
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }
        return pages;
    }

    @Test
    void the_api_sends_without_an_agent() throws Exception {
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            collector.setSoTimeout(10_000);
            Counters.increment("readme.read");
            for (String method : List.of("card", "cash", "card")) {
                Counters.counter("payments.tried", "method", method).increment();
            }

            AutoCloseable sending = Counters.start("127.0.0.1:" + collector.getLocalPort());

            DatagramPacket first = new DatagramPacket(new byte[2000], 2000);
            collector.receive(first);
            assertThat(new String(first.getData(), 0, first.getLength(), US_ASCII))
                    .containsPattern("from [0-9a-f]{24} \\d+ 1\n")
                    .contains("increment readme.read 1 1\n")
                    .contains("increment payments.tried,method=card 2 2\n");
            sending.close();
        }
    }

    @Test
    void every_java_example_in_the_documents_is_a_copy_of_compiled_code() throws IOException {
        Map<String, String> sources = sources("demo-app/src");
        sources.putAll(sources("micrometer/src/test"));
        sources.putAll(sources("spring-boot-starter/src/test"));
        String code = squeezed(String.join("\n", sources.values()));

        int examples = 0;
        for (Map.Entry<String, String> page : PAGES.entrySet()) {
            for (MatchResult example : found("```java\n(.*?)```", page.getValue())) {
                examples++;
                assertThat(code)
                        .as("the code, for an example of " + page.getKey())
                        .contains(squeezed(example.group(1)));
            }
        }

        assertThat(examples).isGreaterThanOrEqualTo(8);
    }

    @Test
    void every_setting_is_documented_in_a_row() throws IOException {
        String agent = source("agent/src/main/java/io/counters/agent/settings/Key.java");
        String collector = source(COLLECTOR + "settings/CollectorFlag.java");
        String proxy = source(COLLECTOR + "proxy/ProxyIni.java");

        List<String> keys = found("^    ([A-Z_]+)(?:\\(.*\\))?[,;]$", agent).stream()
                .map(match -> "\n| `" + camelCase(match.group(1)) + "` |")
                .toList();
        List<String> flags = found("^    ([A-Z_]+)\\(\\s*\"(.*?)\",(?!.*true\\))", collector).stream()
                .map(match -> "\n| `--" + lower(match.group(1)).replace('_', '-') + "` | "
                        + (match.group(2).isEmpty() ? "" : "`" + match.group(2) + "`"))
                .toList();
        List<String> proxyKeys = found("^        ([A-Z_]+)\\(\"(.*?)\"\\)[,;]$", proxy).stream()
                .map(match -> "`" + lower(match.group(1)) + "` | "
                        + (match.group(2).isEmpty() ? "" : "`" + match.group(2) + "`"))
                .map(row -> row.replace("`port` | `8150`", "`port`, `tcp_port` | `8150`"))
                .toList();

        assertThat(keys).hasSizeGreaterThan(8).allMatch(page("docs/agent.md")::contains);
        assertThat(flags).hasSizeGreaterThan(8).allMatch(String.join("\n", PAGES.values())::contains);
        assertThat(proxyKeys).hasSizeGreaterThan(8).allMatch(page("docs/proxy.md")::contains);
    }

    @Test
    void every_property_of_the_spring_boot_starter_is_documented_in_a_row() throws IOException {
        String record = source("spring-boot-starter/src/main/java/io/counters/spring/CountersProperties.java");

        assertThat(found("^ \\* @param (\\w+) ", record))
                .hasSize(9)
                .allMatch(property -> page("docs/spring-boot.md").contains("\n| `" + property.group(1) + "` |"));
    }

    @Test
    void every_fault_of_a_meter_is_documented_in_a_row() throws IOException {
        String faults = source("micrometer/src/main/java/io/counters/micrometer/Faults.java");

        assertThat(found("^        ([A-Z_]+)\\(\\s*\"", faults))
                .hasSize(6)
                .allMatch(reason -> page("docs/micrometer.md").contains("\n| `" + lower(reason.group(1)) + "` |"));
    }

    @Test
    void metrics_and_their_rows_in_the_documents_match() throws IOException {
        Set<String> registered = new TreeSet<>();
        for (String source : sources(COLLECTOR).values()) {
            found("\\.(?:count|gauge|total)\\(\\s*\"([a-z_]+)\"", source)
                    .forEach(metric -> registered.add("counters_" + metric.group(1)));
        }

        Set<String> rows = new TreeSet<>();
        found("^\\| `(counters_[a-z_]+)(?:\\{[a-z,]+\\})?` \\|", page(OPERATIONS))
                .forEach(row -> rows.add(row.group(1)));

        assertThat(registered).hasSizeGreaterThan(50);
        assertThat(rows).isEqualTo(registered);
    }

    @Test
    void every_metric_that_another_page_names_is_registered() {
        for (Map.Entry<String, String> page : PAGES.entrySet()) {
            for (MatchResult metric : found("`(counters_[a-z_]+[a-z])(?:\\{.*?\\})?`", page.getValue())) {
                assertThat(page(OPERATIONS))
                        .as("the row of a metric that " + page.getKey() + " names")
                        .contains("| `" + metric.group(1));
            }
        }
    }

    @Test
    void every_alert_is_documented_and_uses_metrics_that_are_registered() throws IOException {
        String alerts = source("docs/prometheus/alerts.yml");

        assertThat(found("\\b(counters_[a-z_]+)", alerts))
                .hasSizeGreaterThan(8)
                .allMatch(metric -> page(OPERATIONS).contains("\n| `" + metric.group(1)));
        assertThat(found("- alert: (\\w+)", alerts))
                .hasSizeGreaterThan(4)
                .allMatch(alert -> page("docs/prometheus.md").contains("\n| `" + alert.group(1) + "` |"));
    }

    @ParameterizedTest
    @CsvSource({
        "core/src/main/java/io/counters/wire/Rejection.java, Reasons of rejected lines",
        "collector/src/main/java/io/counters/collector/proxy/MessageRejection.java, Reasons of rejected messages"
                + " (proxy)",
        "collector/src/main/java/io/counters/collector/proxy/Senders.java, Reasons of closed connections (proxy)",
    })
    void every_reason_is_documented_in_a_row(String file, String heading) throws IOException {
        String section = section(page(OPERATIONS), heading);

        List<String> reasons =
                found("^    {1,2}([A-Z_]{3,})\\(\\s*\"", source(file).replace("        ", "    ")).stream()
                        .map(match -> "\n| `" + lower(match.group(1)) + "` |")
                        .toList();

        assertThat(reasons)
                .as(OPERATIONS + ", " + heading)
                .hasSizeGreaterThan(3)
                .allMatch(section::contains);
    }

    /** The log and the document say the same; the document may set words as code, and end otherwise. */
    @ParameterizedTest
    @EnumSource(Rejection.class)
    void the_rule_of_a_rejected_line_has_the_same_words_in_the_document(Rejection rejection) throws IOException {
        String rows = section(page(OPERATIONS), "Reasons of rejected lines").replaceAll("[`\"\\\\]", "");
        String rule = rejection.rule().replace("\"", "");

        assertThat(rows)
                .as(OPERATIONS)
                .contains("\n| " + rejection.reason() + " | " + rule.substring(0, Math.min(40, rule.length())));
    }

    @Test
    void the_readme_lists_every_page() {
        List<String> rows = PAGES.keySet().stream()
                .filter(path -> path.matches("docs/[^/]+"))
                .map(path -> "\n| [" + path.substring("docs/".length()) + "](" + path + ") |")
                .toList();

        assertThat(rows).hasSizeGreaterThan(15).allMatch(page("README.md")::contains);
    }

    @Test
    void every_reason_to_refuse_a_request_is_documented() throws IOException {
        Set<String> reasons = new TreeSet<>();
        for (String source : sources(COLLECTOR + "http").values()) {
            found("\\brefuse\\(\\s*\"([a-z_]+)\"", source).forEach(reason -> reasons.add(reason.group(1)));
        }

        assertThat(reasons)
                .hasSizeGreaterThan(3)
                .allMatch(reason -> page(OPERATIONS).contains("`" + reason + "`"));
    }

    /** The longest fixed text of each message must be in the document word for word. */
    @Test
    void every_warning_and_error_of_collector_and_proxy_is_documented() throws IOException {
        assertThat(undescribed(sources(COLLECTOR), "\\b(?:warn|error)\\(")).isEmpty();
    }

    @Test
    void every_message_of_the_agent_the_emitter_micrometer_and_spring_is_documented() throws IOException {
        Map<String, String> sources = sources("agent/src/main");
        sources.putAll(sources("core/src/main"));
        sources.putAll(sources("micrometer/src/main"));
        sources.putAll(sources("spring-boot-starter/src/main"));

        assertThat(undescribed(sources, "\\b(?:log\\.accept|log\\.info|complain|note)\\("))
                .isEmpty();
    }

    private static List<String> undescribed(Map<String, String> sources, String call) {
        String said = squeezed(page(OPERATIONS).replace("\\|", "|"));
        List<String> undescribed = new ArrayList<>();
        int calls = 0;
        for (Map.Entry<String, String> source : sources.entrySet()) {
            String file = source.getKey().substring(source.getKey().lastIndexOf('/') + 1);
            for (Matcher found = Pattern.compile(call).matcher(source.getValue()); found.find(); ) {
                calls++;
                String line = source.getValue().substring(Math.max(0, found.end() - 20), found.end());
                String arguments = arguments(source.getValue(), found.end());
                // The first argument of a fault log is the kind of the fault, which is not logged.
                String text = longestText(line.endsWith("faults.warn(") ? withoutFirst(arguments) : arguments);
                if (text.length() >= TEXT_CHARS_MIN
                        ? !said.contains(text)
                        : LOGS.matcher(line).find() && !LOGGED_FROM_ELSEWHERE.contains(file)) {
                    undescribed.add(file + ": \"" + text + "\"");
                }
            }
        }
        assertThat(calls).isGreaterThan(20);
        return undescribed;
    }

    @Test
    void the_readme_is_short() {
        assertThat(page("README.md").lines().count()).isLessThanOrEqualTo(README_LINES_MAX);
    }

    @Test
    void no_line_of_prose_is_too_long() {
        List<String> tooLong = new ArrayList<>();
        PAGES.forEach((page, text) -> text.replaceAll("(?ms)^```.*?^```$", "")
                .lines()
                .filter(line -> line.length() > LINE_CHARS_MAX && !line.startsWith("|") && !line.startsWith("    "))
                .forEach(line -> tooLong.add(page + ": " + line)));

        assertThat(tooLong).isEmpty();
    }

    @Test
    void every_link_has_a_target() {
        List<String> broken = new ArrayList<>();
        int links = 0;
        for (Map.Entry<String, String> page : PAGES.entrySet()) {
            String text = page.getValue().replaceAll("(?ms)^```.*?^```$|^ {4}.*?$", "");
            for (MatchResult link : found("\\]\\(\\s*([^)\\s]+)\\s*\\)", text)) {
                String target = link.group(1);
                if (!target.matches("https?://.*")) {
                    links++;
                    if (!leadsSomewhere(page.getKey(), target)) {
                        broken.add(page.getKey() + ": " + target);
                    }
                }
            }
        }

        assertThat(links).isGreaterThan(100);
        assertThat(broken).isEmpty();
    }

    /** Names of classes in the pages for contributors; other pages name classes of the JDK and of users, too. */
    @Test
    void every_class_that_a_page_for_contributors_names_exists() throws IOException {
        Set<String> types = types();
        List<String> unknown = new ArrayList<>();
        int names = 0;
        for (Map.Entry<String, String> page : PAGES.entrySet()) {
            if (page.getKey().matches("docs/internals/.*|docs/glossary.md|CONTRIBUTING.md")) {
                for (String name : classesNamedIn(page.getValue())) {
                    names++;
                    if (!types.contains(name) && !NO_CLASSES_OF_OURS.contains(name)) {
                        unknown.add(page.getKey() + ": " + name);
                    }
                }
            }
        }

        assertThat(names).isGreaterThan(50);
        assertThat(unknown).isEmpty();
    }

    /** The types of our sources, nested ones, too. */
    private static Set<String> types() throws IOException {
        Set<String> types = new HashSet<>();
        for (String source : allSources().values()) {
            found("\\b(?:class|interface|enum|record) ([A-Z]\\w*)", source).forEach(type -> types.add(type.group(1)));
        }
        return types;
    }

    private static List<String> classesNamedIn(String page) {
        return found("`([A-Z]\\w*[a-z]\\w*)(?:[.#][^`]*)?`", page).stream()
                .map(name -> name.group(1))
                .toList();
    }

    @Test
    void every_file_in_the_table_of_where_things_go_exists() throws IOException {
        String table = page("CONTRIBUTING.md").replaceAll("(?s).*\n\\| to change \\|", "");
        Set<String> paths = new HashSet<>();
        allSources().keySet().forEach(path -> paths.add("/" + path));
        List<MatchResult> files = found("`((?:[\\w-]+/|\\.\\.\\./)*[A-Z]\\w*\\.java)`", table);

        assertThat(files)
                .hasSizeGreaterThan(4)
                .allMatch(file -> paths.stream().anyMatch(path -> isAt(path, file.group(1))), "a file that exists");
    }

    /** Whether a path ends as a shortened one, in which {@code ...} stands for folders, says. */
    private static boolean isAt(String path, String shortened) {
        String pattern =
                Stream.of(shortened.split("\\.\\.\\.")).map(Pattern::quote).collect(Collectors.joining(".*"));
        return path.matches(".*/" + pattern);
    }

    @Test
    void a_class_or_a_file_that_does_not_exist_is_detected() throws IOException {
        assertThat(classesNamedIn("`Nowhere` and `Ledger.batch`, but not `bin/test`, `NULL` or `sun.misc`"))
                .containsExactly("Nowhere", "Ledger");
        assertThat(types()).contains("Ledger", "Changes", "StreamRow").doesNotContain("Nowhere");
        assertThat(isAt("/core/src/main/java/io/counters/wire/Rejection.java", "core/.../wire/Rejection.java"))
                .isTrue();
        assertThat(isAt("/core/src/main/java/io/counters/wire/Rejection.java", "core/.../emit/Rejection.java"))
                .isFalse();
    }

    @Test
    void every_page_can_be_reached_from_the_readme() {
        Set<String> reached = new HashSet<>(Set.of("README.md"));
        List<String> next = new ArrayList<>(reached);
        while (!next.isEmpty()) {
            String from = next.remove(0);
            for (MatchResult link : found("\\]\\(([^)#\\s]+)[^)]*\\)", page(from))) {
                String to =
                        path(ROOT.resolve(from).resolveSibling(link.group(1)).normalize());
                if (PAGES.containsKey(to) && reached.add(to)) {
                    next.add(to);
                }
            }
        }

        assertThat(reached)
                .containsAll(PAGES.keySet().stream()
                        .filter(page -> !page.startsWith(".github"))
                        .toList());
    }

    @ParameterizedTest
    @CsvSource({
        "README.md, true",
        "docs/agent.md, true",
        "docs/agent.md#settings, true",
        "#what-it-costs, true",
        "docs, true",
        "docs/nowhere.md, false",
        "docs/agent.md#nowhere, false",
        "#nowhere, false",
    })
    void a_link_without_a_target_is_detected(String target, boolean leads) {
        assertThat(leadsSomewhere("README.md", target)).isEqualTo(leads);
    }

    @Test
    @SuppressWarnings("StringConcatToTextBlock") // Lines with fences of their own.
    void anchors_follow_the_rule_of_github() {
        assertThat(anchors("# `@Count`\n"
                        + "## Replacing counters.jar\n"
                        + "## A, b & c\n"
                        + "```\n"
                        + "# none\n"
                        + "```\n"
                        + "## A, b & c\n"
                        + "### x_y-z (q)"))
                .containsExactlyInAnyOrder("count", "replacing-countersjar", "a-b--c", "a-b--c-1", "x_y-z-q");
    }

    @Test
    void a_message_that_is_not_documented_is_detected() {
        Map<String, String> source = new HashMap<>();
        for (int i = 0; i < 21; i++) {
            source.put(
                    "some/Class" + i + ".java",
                    "faults.warn(\"kind\", \"nobody has ever \" + \"described this \" + why(\"x)\"));");
        }

        assertThat(undescribed(source, "\\b(?:warn|error)\\("))
                .contains("Class7.java: \"nobody has ever described this\"")
                .hasSize(21);
    }

    private static boolean leadsSomewhere(String page, String target) {
        int hash = target.indexOf('#');
        String file = hash < 0 ? target : target.substring(0, hash);
        Path found = file.isEmpty()
                ? ROOT.resolve(page)
                : ROOT.resolve(page).resolveSibling(file).normalize();
        if (!Files.exists(found)) {
            return false;
        }
        return hash < 0 || anchors(read(found)).contains(target.substring(hash + 1));
    }

    /** GitHub's anchors for headings: lower case, no punctuation, a hyphen for each blank, and a number if one repeats. */
    private static Set<String> anchors(String text) {
        Map<String, Integer> seen = new HashMap<>();
        Set<String> anchors = new TreeSet<>();
        for (MatchResult heading : found("^#{1,6} +(.*)$", text.replaceAll("(?ms)^```.*?^```$", ""))) {
            String anchor = lower(heading.group(1)
                            .replaceAll("\\[([^]]*)\\]\\([^)]*\\)", "$1")
                            .strip())
                    .replaceAll("[^\\p{L}\\p{N} _-]", "")
                    .replace(' ', '-');
            int times = seen.merge(anchor, 1, Integer::sum);
            anchors.add(times == 1 ? anchor : anchor + "-" + (times - 1));
        }
        return anchors;
    }

    /** The text from {@code begin} to the closing bracket; the opening bracket is before {@code begin}. */
    private static String arguments(String source, int begin) {
        int depth = 1;
        boolean isText = false;
        int at = begin;
        for (; depth > 0 && at < source.length(); at++) {
            char letter = source.charAt(at);
            if (isText && letter == '\\') {
                at++;
            } else if (letter == '"') {
                isText = !isText;
            } else if (!isText && letter == '(') {
                depth++;
            } else if (!isText && letter == ')') {
                depth--;
            }
        }
        return source.substring(begin, at);
    }

    /** These arguments without the first, if there are several. */
    private static String withoutFirst(String arguments) {
        int depth = 0;
        boolean isText = false;
        for (int at = 0; at < arguments.length(); at++) {
            char letter = arguments.charAt(at);
            if (letter == '"') {
                isText = !isText;
            } else if (!isText && (letter == '(' || letter == ')')) {
                depth += letter == '(' ? 1 : -1;
            } else if (!isText && letter == ',' && depth == 0) {
                return arguments.substring(at);
            }
        }
        return arguments;
    }

    /** The longest fixed text in these arguments; empty if there is none. */
    private static String longestText(String arguments) {
        String joined = arguments.replaceAll("\"\\s*\\+\\s*\"", "");
        return found("\"((?:[^\"\\\\]|\\\\.)*)\"", joined).stream()
                .flatMap(text -> Stream.of(text.group(1).replace("\\\"", "\"").split("\\{\\}|%,?[sd]")))
                .map(DocumentsTest::squeezed)
                .max(Comparator.comparingInt(String::length))
                .orElse("");
    }

    private static String section(String page, String heading) {
        Matcher section = Pattern.compile("(?ms)^### " + Pattern.quote(heading) + "$(.*?)(?=^#|\\z)")
                .matcher(page);
        assertThat(section.find()).as("a section \"" + heading + "\"").isTrue();
        return section.group(1);
    }

    private static List<MatchResult> found(String pattern, String text) {
        return Pattern.compile(pattern, Pattern.MULTILINE | (pattern.startsWith("```") ? Pattern.DOTALL : 0))
                .matcher(text)
                .results()
                .toList();
    }

    private static String page(String path) {
        return Objects.requireNonNull(PAGES.get(path), path);
    }

    private static String source(String path) throws IOException {
        return Files.readString(ROOT.resolve(path));
    }

    /** The Java files of all modules, by their paths. */
    private static Map<String, String> allSources() throws IOException {
        Map<String, String> all = new TreeMap<>();
        try (Stream<Path> modules = Files.list(ROOT)) {
            for (Path source : modules.map(module -> module.resolve("src"))
                    .filter(Files::isDirectory)
                    .toList()) {
                all.putAll(sources(path(source)));
            }
        }
        return all;
    }

    /** The Java files below a folder, by their paths. */
    private static Map<String, String> sources(String folder) throws IOException {
        Map<String, String> sources = new TreeMap<>();
        try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
            files.filter(file -> file.toString().endsWith(".java"))
                    .forEach(file -> sources.put(path(file), read(file)));
        }
        return sources;
    }

    private static String read(Path file) {
        try {
            return Files.isDirectory(file) ? "" : Files.readString(file);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static String path(Path file) {
        return ROOT.relativize(file).toString().replace('\\', '/');
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    private static String camelCase(String constant) {
        return Pattern.compile("_([a-z])")
                .matcher(lower(constant))
                .replaceAll(letter -> letter.group(1).toUpperCase(Locale.ROOT));
    }

    private static String squeezed(String code) {
        return code.replaceAll("\\s+", " ").strip();
    }
}
