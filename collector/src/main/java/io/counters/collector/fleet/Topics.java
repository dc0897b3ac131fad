package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.zip.CRC32C;

/**
 * The names of a fleet's topics and groups. Two fleets on the same brokers have different prefixes.
 *
 * @param prefix the characters of names except {@code /}, which Kafka does not allow; not empty
 */
record Topics(String prefix) {
    private static final String WITHOUT_PREFIX = "counters";

    /** With the longest prefix, a group's name has fewer than the 249 characters of a topic's. */
    private static final int SINK_MAX = 120;

    /** @param prefix the setting, in which {@code /} becomes {@code .}, and of which trailing dots are left out */
    static Topics of(String prefix) {
        String name = prefix.replace('/', '.').replaceAll("\\.+$", "");
        return new Topics(name.isEmpty() ? WITHOUT_PREFIX : name);
    }

    /** Lines as they arrived, by the partition of their names. */
    String lines() {
        return prefix + ".lines";
    }

    /** The ledgers of the partitions, compacted. */
    String ledger() {
        return prefix + ".ledger";
    }

    /** The values of counters at certain seconds. */
    String ticks() {
        return prefix + ".ticks";
    }

    /** The consumer group of the partitions' owners. */
    String owners() {
        return prefix + ".owners";
    }

    /** The ID of the transactions of an owner, and the group that keeps its {@link InstanceClaim}. */
    String owner(String instance) {
        return prefix + ".owner." + instance;
    }

    /**
     * The consumer group of a sink. It depends on nothing but the sink, so that other sinks may come and go.
     *
     * @param name such as {@code opentsdb-HOST-PORT}; its beginning and a checksum if it is very long, and {@code -} for
     *     characters that a group may not have
     */
    String sink(String name) {
        byte[] bytes = name.getBytes(UTF_8);
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length);
        String legal = name.replaceAll("[^A-Za-z0-9._-]", "-");
        return prefix + ".sink."
                + (legal.length() <= SINK_MAX
                        ? legal
                        : String.format("%s-%08x", legal.substring(0, SINK_MAX), crc.getValue()));
    }
}
