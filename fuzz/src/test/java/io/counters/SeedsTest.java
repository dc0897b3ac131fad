package io.counters;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The inputs in the folder of resources, which every build tries. */
class SeedsTest {
    private static final Path SEEDS = Path.of("src", "test", "resources");
    private static final Path README = SEEDS.resolve("README");
    private static final String INPUTS = "Inputs";
    private static final long BYTES_MAX = 250_000;

    private static Map<Path, List<Path>> byFolder() throws IOException {
        try (Stream<Path> files = Files.walk(SEEDS)) {
            return files.filter(file -> Files.isRegularFile(file) && !file.equals(README))
                    .collect(Collectors.groupingBy(file -> SEEDS.relativize(file.getParent())));
        }
    }

    /** Jazzer writes them to the module's folder if it does not find that of the resources. */
    @Test
    void no_input_that_failed_is_left_where_no_build_tries_it() throws IOException {
        assertThat(SEEDS).isDirectory();
        try (Stream<Path> files = Files.list(Path.of(""))) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .noneMatch(name -> name.matches("(crash|timeout|oom|leak|slow-unit)-.*"));
        }
    }

    @Test
    void each_folder_of_inputs_is_that_of_a_target() throws Exception {
        for (Path folder : byFolder().keySet()) {
            String inputs = Objects.requireNonNull(folder.getParent())
                    .toString()
                    .replace('/', '.')
                    .replace('\\', '.');
            assertThat(inputs).endsWith(INPUTS);
            Class<?> target = Class.forName(
                    inputs.substring(0, inputs.length() - INPUTS.length()), false, SeedsTest.class.getClassLoader());
            assertThat(Arrays.stream(target.getDeclaredMethods())
                            .filter(method -> method.isAnnotationPresent(FuzzTest.class)))
                    .as("%s", folder)
                    .anyMatch(method ->
                            method.getName().equals(folder.getFileName().toString()));
        }
    }

    /** Every build tries each of them twice. */
    @Test
    void the_inputs_of_a_target_are_small() throws IOException {
        for (Map.Entry<Path, List<Path>> folder : byFolder().entrySet()) {
            long bytes = 0;
            for (Path file : folder.getValue()) {
                bytes += Files.size(file);
            }
            assertThat(bytes).as("bytes in %s", folder.getKey()).isLessThan(BYTES_MAX);
        }
    }
}
