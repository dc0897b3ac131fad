package io.counters.packaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A unit file of systemd: the values of each key, in the order of the lines.
 *
 * @param values by key; an empty assignment removes the earlier ones, as systemd has it
 */
record Unit(Map<String, List<String>> values) {
    static Unit read(Path file) throws IOException {
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (String line : Files.readAllLines(file)) {
            int equals = line.indexOf('=');
            if (line.startsWith("#") || line.startsWith("[") || equals < 0) {
                continue;
            }
            values.computeIfAbsent(line.substring(0, equals), key -> new ArrayList<>())
                    .add(line.substring(equals + 1));
        }
        return new Unit(values);
    }

    /** The value of a key that appears once. */
    String value(String key) {
        List<String> all = values.getOrDefault(key, List.of());
        if (all.size() != 1) {
            throw new AssertionError(key + " appears " + all.size() + " times in " + values);
        }
        return all.get(0);
    }
}
