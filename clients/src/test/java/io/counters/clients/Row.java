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
import java.util.Map;
import java.util.Set;

/**
 * One line of the table: a client, how it sends, and what it counts.
 *
 * @param number makes its counter's name its own
 * @param proxied whether the proxy and two collectors are behind it, or one collector
 */
record Row(int number, Client client, Transport transport, boolean buffered, What what, boolean proxied) {

    enum Transport {
        UDP,
        TCP,
        UNIX
    }

    /** What a driver counts; all drivers do the same. */
    enum What {
        /** 1,000 times 1 and 100 times 5. */
        PLAIN(1500),
        /** 500 times 3 and 500 times -1. */
        MINUS(1000),
        /** 400 times 0.25. */
        FRACTIONS(100),
        /** 2,000 times 1 at a rate of 0.75. */
        SAMPLED(2000),
        /** 200 times 1, with all the tags that this client's users may think of. */
        TAGS(200),
        /** 10 times whatever else it knows: gauges, timers, sets, histograms. */
        OTHERS(0);

        final int called;

        What(int called) {
            this.called = called;
        }
    }

    /**
     * A client library, and what is left of the tags it sends.
     *
     * @param driver the program that drives it; empty for {@link JavaDriver}
     * @param counter what its counter is called with {@link What#TAGS}, after the row's own beginning
     */
    record Client(String name, List<String> driver, String counter) {}

    private static final Client HOT_SHOTS =
            node("hot-shots", ".orders,city=Z_rich,env=test,note=a_b_c,path=/users/_id_,url=http_//shop_8080/cart");
    private static final Client HOT_SHOTS_TELEGRAF = node("hot-shots telegraf", HOT_SHOTS.counter());
    private static final Client HOT_SHOTS_AGGREGATED = node("hot-shots aggregated", HOT_SHOTS.counter());
    private static final Client NODE_STATSD = node(
            "node-statsd",
            ".orders,canary=true,city=Z_rich,env=prod,note=a_b_c,path=/users/_id_,url=http_//shop_8080/cart");
    private static final Client STATSD_CLIENT =
            node("statsd-client", ".orders,city=Z_rich,env=prod,note=a_b_c,path=/users/_id_,url=http_//shop_8080/cart");
    private static final Client DOGSTATSD = java("java-dogstatsd-client", NODE_STATSD.counter());
    private static final Client DOGSTATSD_AGGREGATED = java("java-dogstatsd-client aggregated", DOGSTATSD.counter());
    private static final Client MICROMETER_ETSY = java("micrometer ETSY", "?");
    private static final Client MICROMETER_DATADOG = java("micrometer DATADOG", "?");
    private static final Client MICROMETER_TELEGRAF = java("micrometer TELEGRAF", "?");
    private static final Client MICROMETER_SYSDIG = java("micrometer SYSDIG", "?");
    private static final Client TIMGROUP = java("timgroup java-statsd-client", "");
    private static final Client PYTHON = new Client(
            "python3-statsd", List.of("/usr/bin/python3", "python.py"), ".orders,env=prod,note=a_b_c,path=/users/_id_");
    private static final Client PERL = new Client("Net::Statsd (Perl)", List.of("perl", "perl.pl"), PYTHON.counter());
    private static final Client RUBY = new Client("ruby-statsd", List.of("/usr/bin/ruby", "ruby.rb"), PYTHON.counter());

    private static Client node(String name, String counter) {
        return new Client(name, List.of("node", "node.js"), counter);
    }

    private static Client java(String name, String counter) {
        return new Client(name, List.of(), counter);
    }

    /** All of them. */
    static List<Row> all() {
        Rows rows = new Rows();
        Set<What> all = EnumSet.allOf(What.class);
        Set<What> unsampled = EnumSet.of(PLAIN, MINUS, FRACTIONS, TAGS, OTHERS);
        Set<What> whole = EnumSet.of(PLAIN, TAGS, OTHERS); // micrometer cuts off fractions, and only goes up
        rows.add(HOT_SHOTS, EnumSet.of(UDP, TCP, UNIX), List.of(false, true), all);
        rows.add(HOT_SHOTS_TELEGRAF, EnumSet.of(UDP, TCP), List.of(true), EnumSet.of(PLAIN, TAGS));
        rows.add(HOT_SHOTS_AGGREGATED, EnumSet.of(UDP), List.of(true), unsampled);
        rows.add(NODE_STATSD, EnumSet.of(UDP), List.of(false), all);
        rows.add(STATSD_CLIENT, EnumSet.of(UDP, TCP), List.of(false, true), unsampled);
        rows.add(DOGSTATSD, EnumSet.of(UDP, UNIX), List.of(true), all);
        rows.add(DOGSTATSD_AGGREGATED, EnumSet.of(UDP), List.of(true), EnumSet.of(PLAIN, FRACTIONS, TAGS));
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
                        if (transport != UNIX) { // which the proxy does not listen on
                            rows.add(new Row(rows.size(), client, transport, buffers, each, true));
                        }
                    }
                }
            }
        }
    }

    /** What its counters' names begin with, and no other row's. */
    String beginning() {
        return "c%03d".formatted(number);
    }

    /** The counter that its driver counts. */
    String counter() {
        return beginning() + ".orders";
    }

    /** The names of the counters that come of it. */
    Set<String> counters() {
        return switch (what) {
            case TAGS -> Set.of(beginning() + client.counter());
            case OTHERS -> Set.of();
            default -> Set.of(counter());
        };
    }

    /** How many lines of which reason are rejected, as the wire protocol documents it. */
    Map<String, Long> rejected(Tap tap) {
        return what == OTHERS ? Map.of("statsd_type", tap.otherLines()) : Map.of();
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
