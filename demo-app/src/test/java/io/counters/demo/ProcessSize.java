package io.counters.demo;

import io.counters.testsupport.CollectorProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What a collector's process uses, as Linux says; 0 for what a system without /proc does not say.
 *
 * @param heapBytes what is left of the heap after a garbage collection
 * @param residentBytes its memory in RAM
 * @param descriptors open files and sockets
 */
record ProcessSize(long heapBytes, long residentBytes, long descriptors, long threads) {
    private static final int SHIFT = 20;

    /** Collects the garbage, and looks. */
    static ProcessSize of(CollectorProgram collector) throws IOException, InterruptedException {
        long pid = collector.program().pid();
        Process gc = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        "-J-XX:TieredStopAtLevel=1",
                        "-J-XX:+UseSerialGC",
                        Long.toString(pid),
                        "GC.run")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectErrorStream(true)
                .start();
        if (!gc.waitFor(60, TimeUnit.SECONDS)) {
            gc.destroyForcibly();
            throw new IOException("no garbage collection within a minute");
        }
        if (gc.exitValue() != 0) {
            throw new IOException("jcmd could not collect the garbage of process " + pid);
        }
        Path process = Path.of("/proc", Long.toString(pid));
        return new ProcessSize(
                collector.metric("heap_bytes"),
                1024 * status(process, "VmRSS:"),
                descriptors(process),
                status(process, "Threads:"));
    }

    private static long status(Path process, String key) throws IOException {
        Path status = process.resolve("status");
        return !Files.isReadable(status)
                ? 0
                : Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith(key))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                        .sum();
    }

    private static long descriptors(Path process) throws IOException {
        Path folder = process.resolve("fd");
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        try (Stream<Path> open = Files.list(folder)) {
            return open.count();
        }
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "heap %3d MB, resident %3d MB, %4d descriptors, %3d threads",
                heapBytes >> SHIFT,
                residentBytes >> SHIFT,
                descriptors,
                threads);
    }
}
