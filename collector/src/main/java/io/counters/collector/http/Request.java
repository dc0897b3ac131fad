package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.common.FaultLog;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** A request as its route receives it: complete, with its path and its parameters decoded. For any thread. */
public final class Request {
    private final String method;
    private final String path;
    private final String rest;
    private final Map<String, List<String>> parameters;
    private final HttpHeaders headers;
    private final byte[] body;

    /**
     * @param uri as in the request line
     * @param rawRest what the route's {@code *} stands for, not decoded
     * @throws RequestException when the URI cannot be decoded
     */
    Request(String method, String uri, String rawRest, HttpHeaders headers, byte[] body) {
        this.method = method;
        this.headers = headers;
        this.body = body;
        try {
            QueryStringDecoder decoder = decoder(uri);
            path = decoder.path();
            rest = decoder(rawRest).path();
            parameters = decoder.parameters();
        } catch (IllegalArgumentException malformed) {
            throw RequestException.bad("the request's path or query " + shown(uri) + " cannot be decoded: "
                    + shown(String.valueOf(malformed.getMessage()))
                    + "; write a percent sign as %25, and other bytes as % and two hexadecimal digits");
        }
    }

    private static QueryStringDecoder decoder(String uri) {
        return new QueryStringDecoder(uri, UTF_8, true, Integer.MAX_VALUE, true);
    }

    /** GET, HEAD, POST or DELETE: one that the route takes. */
    public String method() {
        return method;
    }

    /** The decoded path. */
    public String path() {
        return path;
    }

    /** The decoded part of the path for which the {@code *} of the route stands; empty if it has none. */
    public String rest() {
        return rest;
    }

    /**
     * Refuses parameters that the route does not know, so that a typing error is noticed.
     *
     * @param known the names of the route's parameters
     * @throws RequestException when the request has others
     */
    public void allow(String... known) {
        for (String name : parameters.keySet()) {
            if (!Set.of(known).contains(name)) {
                throw RequestException.bad("the parameter " + shown(name) + " is unknown; " + path + " takes "
                        + (known.length == 0 ? "none" : String.join(", ", new TreeSet<>(List.of(known)))));
            }
        }
    }

    /**
     * A parameter's value; null if the request does not have it.
     *
     * @throws RequestException when it is given more than once
     */
    public @Nullable String parameter(String name) {
        List<String> values = parameters(name);
        if (values.size() > 1) {
            throw RequestException.bad("the parameter " + name + " is given " + values.size() + " times; give it once");
        }
        return values.isEmpty() ? null : values.get(0);
    }

    /** A parameter's values in the order of the request. */
    public List<String> parameters(String name) {
        return parameters.getOrDefault(name, List.of());
    }

    /**
     * A parameter that is a whole number.
     *
     * @param absent the value if the request does not have it
     * @throws RequestException when it is not a whole number from {@code min} to {@code max}
     */
    public long number(String name, long min, long max, long absent) {
        String text = parameter(name);
        if (text == null) {
            return absent;
        }
        try {
            long number = Long.parseLong(text);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // Reported below, with the rule.
        }
        throw RequestException.bad("the parameter " + name + " is " + shown(text) + "; it must be a whole number from "
                + min + " to " + max);
    }

    /** The first header of this name; null if there is none. */
    public @Nullable String header(String name) {
        return headers.get(name);
    }

    HttpHeaders headers() {
        return headers;
    }

    /** The body of a POST, at most as long as the route allows; empty if the route takes none. */
    public byte[] body() {
        return body;
    }

    /**
     * The body, decompressed if the header Content-Encoding says gzip.
     *
     * @param bytesMax its maximum length, also if it is not compressed; no more is ever decompressed
     * @throws RequestException when it is longer, cannot be decompressed, or has another encoding
     */
    public byte[] decompressed(int bytesMax) {
        String encoding = headers.get(HttpHeaderNames.CONTENT_ENCODING, "identity");
        if (encoding.equalsIgnoreCase("identity")) {
            if (body.length > bytesMax) {
                throw new RequestException(413, "the body is too large; at most " + bytesMax + " bytes are allowed");
            }
            return body;
        }
        if (!encoding.equalsIgnoreCase("gzip")) {
            throw new RequestException(
                    415, "the Content-Encoding is " + shown(encoding) + "; allowed are gzip and identity");
        }
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(body))) {
            byte[] plain = in.readNBytes(bytesMax);
            if (in.read() >= 0) {
                throw new RequestException(
                        413, "the body is too large; at most " + bytesMax + " bytes after decompression are allowed");
            }
            return plain;
        } catch (IOException damaged) {
            throw RequestException.bad("the body is not valid gzip, as its Content-Encoding says");
        }
    }

    /** A text from the client, as an answer may show it: in quotes, on one line, and not too long. */
    public static String shown(String text) {
        return '"' + FaultLog.shown(text) + '"';
    }
}
