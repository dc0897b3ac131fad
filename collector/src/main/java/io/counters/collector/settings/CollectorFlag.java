package io.counters.collector.settings;

import java.util.Locale;

/**
 * Every setting of the collector: {@code --udp-port} as a flag, {@code COUNTERS_UDP_PORT} in the environment, {@code
 * udp_port} in the INI file.
 */
public enum CollectorFlag {
    BIND("0.0.0.0", "address to listen on for counts; 127.0.0.1 accepts them from this machine only"),
    UDP_PORT("11212", "UDP port for counts, 0 to 65535; 0 uses any free port"),
    TCP_PORT("", "TCP port for counts, 0 to 65535; if it is left out, the UDP port's number"),
    STATSD_NAMES(
            "clean",
            "what happens to StatsD lines whose names or tags cannot be stored; clean: such characters become _, and a"
                    + " tag without a value gets the value true; strict: the lines are rejected"),
    DROP_TAGS("", "keys of tags to leave out of StatsD lines, separated by commas: pod,container_id"),
    UNIX(
            "",
            "path of a Unix datagram socket for counts; every user of this machine who can reach its folder may send to"
                    + " it; if it is left out, there is no such socket"),
    KEYS(
            "",
            "file with keys, KEY-ID HEX-KEY [prefix=NAME-PREFIX] on each line, with which datagrams are signed; it is read"
                    + " again when it changes; if it is left out, signatures are not checked"),
    SIGNING(
            "required",
            "with keys, required: refuses datagrams without a signature, and TCP; accepted: counts them, too"),
    CONNECTIONS(
            "10000",
            "maximum number of TCP connections, 1 to 1000000; fewer if file descriptors or memory do not suffice"),
    TCP_IDLE(
            "24h",
            "close a TCP connection that has sent nothing for this long, 1m to 9999h; what its sender writes next is"
                    + " lost"),
    ALLOW(
            "",
            "addresses from which counts are taken, separated by commas: 10.0.0.0/8,fd00::/8; udp:, tcp: or otlp:"
                    + " before one is for that port only; a port without any takes counts from everyone"),
    HTTP_PORT("11213", "port of the page and the API, 0 to 65535; 0 uses any free port"),
    HTTP_BIND(
            "127.0.0.1",
            "address of the page and the API; beyond this machine only with a token or client certificates"),
    HTTP_NAMES(
            "",
            "DNS names under which browsers reach the page, separated by commas: counters.example; localhost and"
                    + " addresses need not be listed"),
    HTTP_CONNECTIONS("200", "maximum number of connections to the page and the API, 16 to 10000"),
    HTTP_LISTENERS("50", "maximum number of open tabs and other clients of server-sent events, 1 to 1000"),
    HTTP_WAITING(
            "32",
            "how many requests by HTTP of one kind of work may wait for their turn on a port, 1 to 10000; further ones"
                    + " are refused"),
    TOKEN("", "what requests by HTTP need; there is no flag, because every user of the machine can see flags", true),
    TOKEN_FILE(
            "",
            "file that contains the token and nothing else: requests by HTTP need it, as Authorization: Bearer TOKEN,"
                    + " or in a browser as the password of any user"),
    TLS_CERTIFICATE(
            "",
            "file with a certificate and those that certify it, in PEM: TLS on the ports of tls-ports; read again when"
                    + " it changes"),
    TLS_KEY("", "file with the certificate's private key, in PEM: PKCS#8 without a password"),
    TLS_CLIENT_CA(
            "",
            "file with certificates of authorities, in PEM: a client whose certificate is of one of them needs no"
                    + " token, and the TCP port takes no others"),
    TLS_PORTS("tcp,http,otlp", "the ports that speak TLS if there is a certificate, separated by commas"),
    OTLP_PORT(
            "",
            "port for counts by HTTP, POST /v1/metrics (OTLP) and POST /count, 0 to 65535; 4318 is OTLP's own, 0 uses"
                    + " any free port; if it is left out, there is no such port"),
    OTLP_BIND("127.0.0.1", "address of that port; beyond this machine only with a token or client certificates"),
    OTLP_CONNECTIONS(
            "10000",
            "maximum number of connections to that port, 1 to 1000000; fewer if file descriptors or memory do not"
                    + " suffice"),
    OTLP_TAGS(
            "*",
            "attributes that become tags of what OTLP brings, separated by commas: method,service.name; * is each"
                    + " attribute of a data point that does not name an instance, a host, a process or a container"),
    OTLP_MEMORY(
            "10%",
            "memory for requests by HTTP and for the last values of OTLP's series, 1% to 100% of the heap or an amount"
                    + " such as 32m; a request of more than an eighth of it is refused, and one for which there is no"
                    + " room now waits"),
    DATA_DIR("counters-data", "folder of the ledger; one collector at a time can use it"),
    NAMES_MEMORY(
            "45%",
            "memory for counters, 1% to 100% of the heap or an amount such as 128m; new names beyond it are counted as"
                    + " counters.overflow"),
    NEW_NAMES(
            "10%",
            "how much of names-memory new names may use in a minute, 1% to 100% or an amount such as 16m; beyond it,"
                    + " lines with totals are applied when their sender repeats them"),
    STREAMS_MEMORY(
            "15%",
            "memory for senders with totals and their watermarks, 1% to 100% of the heap or an amount such as 64m;"
                    + " when it is full, senders that reported least often are dropped"),
    STORE(
            "embedded",
            "store for other programs to read: memcached://HOST:PORT,HOST:PORT, redis://HOST:PORT/DB,"
                    + " couchbase://HOST,HOST/BUCKET, or embedded for none"),
    STORE_USER("", "user of the store; give the password in the variable COUNTERS_STORE_PASSWORD or in a file"),
    STORE_PASSWORD(
            "", "password of the store; there is no flag, because every user of the machine can see flags", true),
    STORE_PASSWORD_FILE("", "file that contains the store's password and nothing else"),
    OPENTSDB("", "OpenTSDB's address, http://HOST:4242; if it is left out, nothing is sent to OpenTSDB"),
    OPENTSDB_MODE("safe", "safe: a point is confirmed when HBase has stored it; fast: when the TSD has read it"),
    OPENTSDB_BODY(
            "8k",
            "maximum bytes of a request to OpenTSDB as it is sent, 1k to 64m; use more than 8k only if the TSD allows"
                    + " it"),
    SINK(
            "none",
            "further sinks for points, separated by commas: stdout, opentsdb:http://HOST:4242,"
                    + " otlp:http://HOST:4318/v1/metrics, prometheus:http://HOST:9090/api/v1/write, none"),
    SINK_HEADERS(
            "",
            "file with headers of the requests to otlp and prometheus sinks, such as those of a login, one NAME: VALUE"
                    + " on each line; they are never shown"),
    INTERVAL("10s", "time between two points of a counter, 1s to 1h, in whole seconds"),
    IDLE("never", "leave a counter out once it has not moved for this long, 1s to 9999h; never publishes all"),
    SPOOL("1g", "maximum bytes on disk of unconfirmed points, 1m to 9999g; beyond it the oldest are dropped"),
    HISTORY_TICKS("48h", "how long the history keeps the value at every tick, 1m to 9999y; 0 for not at all"),
    HISTORY_MINUTES("30d", "how long the history keeps a value every 5 minutes, 1m to 9999y; 0 for not at all"),
    HISTORY_HOURS("2y", "how long the history keeps a value every hour, 1m to 9999y; 0 for not at all"),
    HISTORY_BYTES("2g", "maximum bytes of the history on disk, 16m to 9999g; beyond it the oldest values are deleted"),
    HISTORY_COUNTERS(
            "20000",
            "most counters that have a history, 0 to 1000000; fewer where memory does not allow so many; 0 keeps none"),
    PREFIX("", "stands before every name in the store and in sinks: 'shop.'"),
    TAGS("src=counters", "tags that every point gets beside its name's own: dc=fra,env=prod"),
    LEDGER(
            "embedded",
            "where the ledger is; embedded: in data-dir; kafka://HOST:PORT,HOST:PORT: in Kafka, which a fleet of"
                    + " collectors shares"),
    KAFKA_SETTINGS(
            "",
            "file with properties of Kafka's clients, such as those of TLS and SASL, one KEY=VALUE on each line;"
                    + " secrets are never shown"),
    INSTANCE(
            "",
            "name of this collector within the fleet, the same after a restart; if it is left out, the name of the"
                    + " machine and the UDP port"),
    FLEET_PARTITIONS(
            "32",
            "number of partitions of the fleet's topics, 1 to 1024; used only when they are created, and fixed from"
                    + " then on"),
    CONFIG("", "INI file with these settings, one KEY = VALUE on each line");

    private final String defaultText;
    private final String purpose;
    private final boolean secret;

    CollectorFlag(String defaultText, String purpose) {
        this(defaultText, purpose, false);
    }

    CollectorFlag(String defaultText, String purpose, boolean secret) {
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

    /** The value if none is given; may be empty. */
    public String defaultText() {
        return defaultText;
    }

    /** For {@code --help}: what it does, and which values are allowed. */
    public String purpose() {
        return purpose;
    }

    /** Whether its value is never shown. Such a setting has no flag, because every user of the machine can see flags. */
    public boolean isSecret() {
        return secret;
    }
}
