package io.counters.collector.settings;

import java.util.Locale;

/**
 * Every setting of the collector: {@code --udp-port} as a flag, {@code COUNTERS_UDP_PORT} in the environment, {@code
 * udp_port} in the INI file.
 */
public enum Setting {
    BIND("0.0.0.0", "address to listen on for counts; 127.0.0.1 takes them from this machine only"),
    UDP_PORT("11212", "UDP port for counts, 0 to 65535; 0 takes a free one"),
    TCP_PORT("", "TCP port for counts, 0 to 65535; left out, it is the UDP port's number"),
    STATSD_NAMES(
            "clean",
            "clean: letters of StatsD lines' names and tags that can't be stored become _, and tags without a value true;"
                    + " strict: such lines are refused"),
    DROP_TAGS("", "keys of tags to leave out of StatsD lines, parted by commas: pod,container_id"),
    UNIX(
            "",
            "path of a Unix datagram socket for counts, which every user of this machine may send to who can reach its"
                    + " folder; left out, there is none"),
    CONNECTIONS("10000", "most TCP connections, 1 to 1000000; fewer where descriptors or memory do not allow so many"),
    HTTP_PORT("11213", "port of the page, on loopback only, 0 to 65535"),
    DATA_DIR("counters-data", "folder of the ledger; one collector at a time"),
    NAMES_MEMORY(
            "45%",
            "memory for counters, 1% to 100% of the heap or 128m; new names beyond it count as counters.overflow"),
    NEW_NAMES(
            "10%",
            "how much of names-memory new names may take in a minute, 1% to 100% or 16m; beyond it lines with totals wait"),
    STREAMS_MEMORY(
            "15%",
            "memory for senders with totals and their watermarks, 1% to 100% of the heap or 64m; then those that said least"
                    + " give way"),
    STORE(
            "embedded",
            "shared store that others read: memcached://HOST:PORT,HOST:PORT, redis://HOST:PORT/DB,"
                    + " couchbase://HOST,HOST/BUCKET, or embedded for none"),
    STORE_USER("", "user of the store; its password is variable COUNTERS_STORE_PASSWORD, or in a file"),
    STORE_PASSWORD("", "password of the store; no flag, as those can be seen by all on the machine", true),
    STORE_PASSWORD_FILE("", "file that holds the store's password and nothing else"),
    OPENTSDB("", "OpenTSDB's address, http://HOST:4242; left out, nothing is sent there"),
    OPENTSDB_MODE("safe", "safe: a point is done when HBase has it; fast: when the TSD has read it"),
    OPENTSDB_BODY(
            "8k", "most bytes of a request to OpenTSDB as sent, 1k to 64m; more than 8k only where the TSD allows it"),
    SINK("none", "further sinks for points, parted by commas: stdout, opentsdb:http://HOST:4242, none"),
    INTERVAL("10s", "time between two points of a counter, 1s to 1h, in whole seconds"),
    IDLE("never", "leave a counter out once it has not moved for so long, 1s to 9999h; never publishes all"),
    SPOOL("1g", "most bytes on disk of points that OpenTSDB has not taken yet, 1m to 9999g; then the oldest go"),
    HISTORY_TICKS("48h", "how long the page's graphs have a value for every tick, 1m to 9999y; 0 keeps none"),
    HISTORY_MINUTES("30d", "how long they have a value every 5 minutes, 1m to 9999y; 0 keeps none"),
    HISTORY_HOURS("2y", "how long they have a value every hour, 1m to 9999y; 0 keeps none"),
    HISTORY_BYTES("2g", "most bytes of the history on disk, 16m to 9999g; then the oldest values go"),
    HISTORY_COUNTERS(
            "20000",
            "most counters that have a history, 0 to 1000000; fewer where memory does not allow so many; 0 keeps none"),
    PREFIX("", "stands before every name in the store and in OpenTSDB: 'shop.'"),
    TAGS("src=counters", "tags that every point gets beside its name's own: dc=fra,env=prod"),
    PEERS(
            "",
            "file with the numbered list of collectors that share the names, the same for all; read again as it changes"),
    SELF("", "with peers: this collector's own address, HOST:PORT as that file has it"),
    CONFIG("", "INI file with these settings, one KEY = VALUE a line");

    private final String defaultText;
    private final String purpose;
    private final boolean secret;

    Setting(String defaultText, String purpose) {
        this(defaultText, purpose, false);
    }

    Setting(String defaultText, String purpose, boolean secret) {
        this.defaultText = defaultText;
        this.purpose = purpose;
        this.secret = secret;
    }

    /** As a flag, without its dashes: {@code udp-port}. */
    public String flag() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** As a key of the INI file: {@code udp_port}. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** As a variable of the environment: {@code COUNTERS_UDP_PORT}. */
    public String variable() {
        return "COUNTERS_" + name();
    }

    /** What it is where nothing is said; may be empty. */
    public String defaultText() {
        return defaultText;
    }

    /** What it does, what it may be. */
    public String purpose() {
        return purpose;
    }

    /** Whether its value is never shown; it has no flag, as all on a machine can see those. */
    public boolean isSecret() {
        return secret;
    }
}
