package io.counters.collector.udp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What Linux says about a UDP socket in {@code /proc/net/udp} and {@code udp6}, where each line is a socket: its local address
 * as {@code HEX:PORT}, {@code SENDING:WAITING} bytes in hexadecimal, and as the last column the datagrams that were dropped
 * because its buffer was full. An address is written as 32-bit numbers of the machine's byte order.
 */
final class SocketTable {
    private static final int LOCAL_ADDRESS = 1;
    private static final int QUEUES = 4;
    private static final int DROPS = 12;
    private static final String ANY_V6 = "0".repeat(32);
    private static final String MAPPED_V4 = "0000000000000000" + hex(new byte[] {0, 0, -1, -1});

    private SocketTable() {}

    /** The datagrams that the kernel dropped of the socket at this address; 0 if the system does not report them. */
    static long drops(List<Path> tables, InetSocketAddress address) {
        return rows(tables, address).stream()
                .mapToLong(row -> Long.parseLong(row[DROPS]))
                .sum();
    }

    /** The bytes, with the kernel's own, that wait in the buffer of the socket at this address; 0 if that is not known. */
    static long waitingBytes(List<Path> tables, InetSocketAddress address) {
        return rows(tables, address).stream()
                .map(row -> row[QUEUES].substring(row[QUEUES].indexOf(':') + 1))
                .mapToLong(waiting -> Long.parseLong(waiting, 16))
                .sum();
    }

    private static List<String[]> rows(List<Path> tables, InetSocketAddress address) {
        List<String> ours = columns(address);
        List<String[]> rows = new ArrayList<>();
        for (Path table : tables) {
            try {
                for (String line : Files.readAllLines(table)) {
                    String[] columns = line.trim().split("\\s+", -1);
                    if (columns.length > DROPS && ours.contains(columns[LOCAL_ADDRESS])) {
                        rows.add(columns);
                    }
                }
            } catch (IOException notTold) {
                return rows;
            }
        }
        return rows;
    }

    /** How the address may be written: an IPv4 address of an IPv6 socket has a prefix, and any address may be of both. */
    private static List<String> columns(InetSocketAddress address) {
        String port = String.format(Locale.ROOT, ":%04X", address.getPort());
        String host = hex(address.getAddress().getAddress());
        return address.getAddress().isAnyLocalAddress()
                ? List.of("00000000" + port, ANY_V6 + port)
                : List.of(host + port, MAPPED_V4 + host + port);
    }

    private static String hex(byte[] address) {
        ByteBuffer words = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
        StringBuilder text = new StringBuilder();
        while (words.hasRemaining()) {
            text.append(String.format(Locale.ROOT, "%08X", words.getInt()));
        }
        return text.toString();
    }
}
