package io.counters.benchmarks.collector;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The machine on which figures were measured. */
final class Machine {
    private Machine() {}

    /** The facts on which figures depend, in one line; unknown ones are left out. */
    static String facts() {
        StringBuilder facts = new StringBuilder();
        facts.append(first("/proc/cpuinfo", "model name"))
                .append(Runtime.getRuntime().availableProcessors());
        facts.append(" CPUs, ").append(first("/proc/meminfo", "MemTotal"));
        facts.append(System.getProperty("os.name")).append(' ').append(System.getProperty("os.version"));
        facts.append(", JDK ").append(Runtime.version());
        try {
            // Not readString: this file claims to be empty, so readString would use a buffer of one byte and read one
            // digit.
            String most =
                    Files.readAllLines(Path.of("/proc/sys/net/core/rmem_max")).get(0);
            facts.append(", net.core.rmem_max ").append(most);
        } catch (IOException notTold) {
            // Not Linux, or a container that hides the file.
        }
        return facts.toString();
    }

    /**
     * The value after the first colon of the first line that begins so, followed by a comma; empty if there is none.
     */
    private static String first(String file, String begin) {
        try {
            return Files.readAllLines(Path.of(file)).stream()
                    .filter(line -> line.startsWith(begin))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip() + ", ")
                    .findFirst()
                    .orElse("");
        } catch (IOException notTold) {
            return "";
        }
    }
}
