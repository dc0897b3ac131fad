package io.counters.collector.fleet;

/**
 * The names of a fleet's topics and groups. Two fleets on the same brokers have different prefixes.
 *
 * @param prefix the characters of names except {@code /}, which Kafka does not allow; not empty
 */
record Topics(String prefix) {
    private static final String WITHOUT_PREFIX = "counters";

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

    /** The ID of the transactions of an owner. */
    String owner(String instance) {
        return prefix + ".owner." + instance;
    }

    /** The consumer group of a sink. */
    String sink(String name) {
        return prefix + ".sink." + name;
    }
}
