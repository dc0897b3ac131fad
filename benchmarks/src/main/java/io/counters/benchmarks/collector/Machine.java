package io.counters.benchmarks.collector;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where figures were taken. */
final class Machine {
    private Machine() {}

    /** The facts that figures depend on, in one line; what the system does not tell is left out. */
    static String facts() {
        StringBuilder facts = new StringBuilder();
        facts.append(first("/proc/cpuinfo", "model name"))
                .append(Runtime.getRuntime().availableProcessors());
        facts.append(" CPUs, ").append(first("/proc/meminfo", "MemTotal"));
        facts.append(System.getProperty("os.name")).append(' ').append(System.getProperty("os.version"));
        facts.append(", JDK ").append(Runtime.version());
        try {
            // Not readString: to a file that says it is empty it comes with a buffer of one byte, and gets one digit.
            String most =
                    Files.readAllLines(Path.of("/proc/sys/net/core/rmem_max")).get(0);
            facts.append(", net.core.rmem_max ").append(most);
        } catch (IOException notTold) {
            // No Linux, or a container that hides it.
        }
        return facts.toString();
    }

    /** The value behind the first colon of the line that begins so, with a comma; empty where there is none. */
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
