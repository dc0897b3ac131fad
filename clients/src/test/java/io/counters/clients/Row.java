package io.counters.clients;

import static io.counters.clients.Row.Transport.TCP;
import static io.counters.clients.Row.Transport.UDP;
import static io.counters.clients.Row.Transport.UNIX;
import static io.counters.clients.Row.What.FRACTIONS;
import static io.counters.clients.Row.What.MINUS;
import static io.counters.clients.Row.What.OTHERS;
import static io.counters.clients.Row.What.PLAIN;
import static io.counters.clients.Row.What.SAMPLED;
import static io.counters.clients.Row.What.TAGS;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * One line of the table: a client, how it sends, and what it counts.
 *
 * @param number makes the counter's name unique
 * @param proxied whether it sends through the proxy to two collectors, or directly to one
 */
record Row(int number, Client client, Transport transport, boolean buffered, What what, boolean proxied) {

    enum Transport {
        UDP,
        TCP,
        UNIX
    }

    /** The calls of a driver; the same for all drivers. */
    enum What {
        /** 1,000 times 1 and 100 times 5. */
        PLAIN(1500),
        /** 500 times 3 and 500 times -1. */
        MINUS(1000),
        /** 400 times 0.25. */
        FRACTIONS(100),
        /** 2,000 times 1 at a rate of 0.75. */
        SAMPLED(2000),
        /** 200 times 1, with tags of every kind that this client's users may write. */
        TAGS(200),
        /** 10 times every other type that the client supports: gauges, timers, sets, histograms. */
        OTHERS(0);

        final int called;

        What(int called) {
            this.called = called;
        }
    }

    /**
     * A client library.
     *
     * @param driver the command that drives it; empty for {@link JavaDriver}
     * @param counter the counter's name as it is stored, after the row's beginning
     * @param tagged the same for {@link What#TAGS}, with the tags as they are stored
     */
    record Client(String name, List<String> driver, String counter, String tagged) {
        Client(String name, List<String> driver, String tagged) {
            this(name, driver, ".orders", tagged);
        }

        /** The same library with another configuration. */
        Client as(String flavor) {
            return new Client(name + " " + flavor, driver, counter, tagged);
        }
    }

    private static final String URL = ",url=http_//shop_8080/cart";
    private static final String PATH = ",note=a_b_c,path=/users/_id_";
    private static final Client HOT_SHOTS =
            new Client("hot-shots", List.of("node", "node.js"), ".orders,city=Z_rich,env=test" + PATH + URL);
    private static final Client NODE_STATSD = new Client(
            "node-statsd", List.of("node", "node.js"), ".orders,canary=true,city=Z_rich,env=prod" + PATH + URL);
    private static final Client STATSD_CLIENT =
            new Client("statsd-client", List.of("node", "node.js"), ".orders,city=Z_rich,env=prod" + PATH + URL);
    private static final Client DOGSTATSD = new Client("java-dogstatsd-client", List.of(), NODE_STATSD.tagged());
    private static final Client MICROMETER_ETSY = new Client(
            "micrometer ETSY",
            List.of(),
            "Orders.statistic.count",
            "Orders.city.Z_rich.env.prod.note.a_b_c.path./users/_id_.statistic.count.url.http_//shop_8080/cart");
    private static final Client MICROMETER_DATADOG = new Client(
            "micrometer DATADOG",
            List.of(),
            ".orders,statistic=count",
            ".orders,city=Z_rich,env=prod" + PATH + ",statistic=count" + URL);
    private static final Client MICROMETER_TELEGRAF = new Client(
            "micrometer TELEGRAF",
            List.of(),
            "_orders,statistic=count",
            "_orders,city=Z_rich,env=prod" + PATH + ",statistic=count" + URL);
    private static final Client MICROMETER_SYSDIG = new Client(
            "micrometer SYSDIG",
            List.of(),
            ".orders,statistic=count",
            ".orders,city=Z_rich,env=prod,note=a_b_c,path=_users__id_,statistic=count,url=http___shop_8080_cart");
    private static final Client TIMGROUP = new Client("timgroup java-statsd-client", List.of(), "");
    private static final Client PYTHON =
            new Client("python3-statsd", List.of("/usr/bin/python3", "python.py"), ".orders,env=prod" + PATH);
    private static final Client PERL =
            new Client("Net::Statsd (Perl)", List.of("/usr/bin/perl", "perl.pl"), PYTHON.tagged());
    private static final Client RUBY = new Client("ruby-statsd", List.of("/usr/bin/ruby", "ruby.rb"), PYTHON.tagged());

    /** All rows. */
    static List<Row> all() {
        Rows rows = new Rows();
        Set<What> all = EnumSet.allOf(What.class);
        Set<What> unsampled = EnumSet.of(PLAIN, MINUS, FRACTIONS, TAGS, OTHERS);
        Set<What> whole = EnumSet.of(PLAIN, TAGS, OTHERS); // micrometer drops fractions, and only increments
        rows.add(HOT_SHOTS, EnumSet.of(UDP, TCP, UNIX), List.of(false, true), all);
        rows.add(HOT_SHOTS.as("telegraf"), EnumSet.of(UDP, TCP), List.of(true), EnumSet.of(PLAIN, TAGS));
        rows.add(HOT_SHOTS.as("aggregated"), EnumSet.of(UDP), List.of(true), unsampled);
        rows.add(NODE_STATSD, EnumSet.of(UDP), List.of(false), all);
        rows.add(STATSD_CLIENT, EnumSet.of(UDP, TCP), List.of(false, true), unsampled);
        rows.add(DOGSTATSD, EnumSet.of(UDP, UNIX), List.of(true), all);
        rows.add(DOGSTATSD.as("aggregated"), EnumSet.of(UDP), List.of(true), EnumSet.of(PLAIN, FRACTIONS, TAGS));
        for (Client micrometer : List.of(MICROMETER_ETSY, MICROMETER_DATADOG, MICROMETER_TELEGRAF, MICROMETER_SYSDIG)) {
            rows.add(micrometer, EnumSet.of(UDP, TCP), List.of(false, true), whole);
        }
        rows.add(MICROMETER_DATADOG, EnumSet.of(UNIX), List.of(false, true), whole);
        rows.add(TIMGROUP, EnumSet.of(UDP), List.of(false), EnumSet.of(PLAIN, MINUS, SAMPLED, OTHERS));
        rows.add(PYTHON, EnumSet.of(UDP, TCP), List.of(false, true), all);
        rows.add(PERL, EnumSet.of(UDP), List.of(false), all);
        rows.add(RUBY, EnumSet.of(UDP, TCP), List.of(false, true), all);
        return rows.rows;
    }

    private static final class Rows {
        final List<Row> rows = new ArrayList<>();

        void add(Client client, Set<Transport> transports, List<Boolean> buffered, Set<What> what) {
            for (Transport transport : transports) {
                for (boolean buffers : buffered) {
                    for (What each : what) {
                        rows.add(new Row(rows.size(), client, transport, buffers, each, false));
                        if (transport != UNIX) { // the proxy has no Unix socket
                            rows.add(new Row(rows.size(), client, transport, buffers, each, true));
                        }
                    }
                }
            }
        }
    }

    /** The beginning of the names of its counters, unique to this row. */
    String beginning() {
        return "c%03d".formatted(number);
    }

    /** The counter's name in its driver's calls. */
    String counter() {
        return beginning() + ".orders";
    }

    /**
     * Whether the client sends everything. Over a Unix socket, clients drop datagrams while the queue is full, which has room
     * for 10 datagrams by default. Without its buffer, micrometer drops datagrams over UDP, too, if the kernel does not accept
     * them at once.
     */
    boolean isSentWhole() {
        return what != SAMPLED
                && transport != UNIX
                && (buffered || !client.name().startsWith("micrometer"));
    }

    /** The names of the counters that it makes. */
    Set<String> counters() {
        return switch (what) {
            case TAGS -> Set.of(beginning() + client.tagged());
            case OTHERS -> Set.of();
            default -> Set.of(beginning() + client.counter());
        };
    }

    @Override
    public String toString() {
        return "%s, %s%s, %s, %s"
                .formatted(
                        client.name(),
                        transport,
                        buffered ? " buffered" : "",
                        what,
                        proxied ? "through the proxy" : "to the collector");
    }
}
