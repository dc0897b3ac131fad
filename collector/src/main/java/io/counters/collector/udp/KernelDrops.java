package io.counters.collector.udp;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Datagrams that the kernel dropped because our socket's buffer was full: the last column of Linux's {@code /proc/net/udp}
 * and {@code udp6}, where each line is a socket with its local address as {@code HEX:PORT}.
 */
final class KernelDrops {
    private static final int LOCAL_ADDRESS = 1;
    private static final int DROPS = 12;

    private KernelDrops() {}

    /** The drops of the sockets on this port since they were opened; 0 if the system does not report them. */
    static long of(List<Path> tables, int port) {
        String suffix = String.format(Locale.ROOT, ":%04X", port);
        long drops = 0;
        for (Path table : tables) {
            try {
                for (String line : Files.readAllLines(table)) {
                    String[] columns = line.trim().split("\\s+", -1);
                    if (columns.length > DROPS && columns[LOCAL_ADDRESS].endsWith(suffix)) {
                        drops += Long.parseLong(columns[DROPS]);
                    }
                }
            } catch (IOException | NumberFormatException notTold) {
                return drops;
            }
        }
        return drops;
    }
}
