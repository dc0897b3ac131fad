package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import okhttp3.HttpUrl;

/**
 * A server that is sent points.
 *
 * @param url the whole address to which points are sent; of OpenTSDB without {@code /api/put}
 * @param headers the user's, for each request; they may contain secrets and are never shown
 */
public record SinkAddress(Kind kind, HttpUrl url, Map<String, String> headers) {
    /** How long a TSD waits for HBase. */
    private static final int SYNC_MILLIS = 3_000;

    private static final Series NO_TAGS = new Series("", List.of());
    private static final Snapshot NO_POINTS = new Snapshot(new String[0], new long[0], 0);

    /** A kind of server; in a setting, its name in lower case stands before the address. */
    public enum Kind {
        OPENTSDB("http://HOST:4242"),
        OTLP("http://HOST:4318/v1/metrics"),
        PROMETHEUS("http://HOST:9090/api/v1/write");

        private final String example;

        Kind(String example) {
            this.example = example;
        }

        PointFormat format(Series series) {
            return switch (this) {
                case OPENTSDB -> new PutBodies(series);
                case OTLP -> new OtlpFormat(series);
                case PROMETHEUS -> new RemoteWriteFormat(series);
            };
        }

        String prefix() {
            return name().toLowerCase(Locale.ROOT) + ":";
        }

        /** As it may stand in the setting. */
        String example() {
            return prefix() + example;
        }

        /** @throws IllegalArgumentException with the rule, if this is not such a server's address */
        SinkAddress address(String text) {
            HttpUrl url = HttpUrl.parse(text);
            if (url == null) {
                throw new IllegalArgumentException("which is not an address; give " + example);
            }
            if (!url.username().isEmpty() || !url.password().isEmpty()) {
                throw new IllegalArgumentException(
                        this == OPENTSDB
                                ? "but must not contain a login: a TSD needs none, and other users could see it"
                                : "but must not contain a login, because other users could see it; put the header"
                                        + " Authorization into the file of --sink-headers");
            }
            if (this != OPENTSDB && url.encodedPath().equals("/")) {
                throw new IllegalArgumentException("where " + prefix() + text
                        + " has no path, but the whole address is needed; give " + example());
            }
            return new SinkAddress(this, url, Map.of());
        }
    }

    public SinkAddress {
        headers = Map.copyOf(headers);
    }

    SinkAddress with(Map<String, String> moreHeaders) {
        return new SinkAddress(kind, url, moreHeaders);
    }

    /** A part of a file's name that no other server has. */
    public String name() {
        String place = kind.prefix() + url.host() + ":" + url.port();
        return (kind == Kind.OPENTSDB ? place : place + url.encodedPath()).replaceAll("[^A-Za-z0-9._-]", "-");
    }

    /** The value of the label {@code sink} of metrics. */
    public String label() {
        return kind == Kind.OPENTSDB ? url.host() + ":" + url.port() : kind.prefix() + where();
    }

    private String where() {
        return url.scheme() + "://" + url.host() + ":" + url.port() + (kind == Kind.OPENTSDB ? "" : url.encodedPath());
    }

    /** Where requests go. */
    HttpUrl endpoint(boolean safe) {
        if (kind != Kind.OPENTSDB) {
            return url;
        }
        HttpUrl.Builder put = url.newBuilder().addPathSegments("api/put").addQueryParameter("details", null);
        if (safe) {
            put.addQueryParameter("sync", null).addQueryParameter("sync_timeout", String.valueOf(SYNC_MILLIS));
        }
        return put.build();
    }

    /** All headers of a request. */
    Map<String, String> headers(PointFormat format) {
        Map<String, String> all = new LinkedHashMap<>(format.headers());
        all.putAll(headers);
        return all;
    }

    /** What to send to see whether the server accepts requests: one without points. OpenTSDB has another way. */
    public Probe probe() {
        PointFormat format = kind.format(NO_TAGS);
        return new Probe(headers(format), format.pack(0, NO_POINTS, 0, 0));
    }

    /** A request. */
    @SuppressWarnings("ArrayRecordComponent") // Sent once, never compared.
    public record Probe(Map<String, String> headers, byte[] body) {}

    /** As messages name it, without headers, and without a query, which may contain a key. */
    @Override
    public String toString() {
        return kind.format(NO_TAGS).server() + " at " + where();
    }
}
