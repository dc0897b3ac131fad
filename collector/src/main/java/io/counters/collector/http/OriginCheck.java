package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.FaultLog;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Refuses requests of other sites' web pages, which a browser on this machine would send.
 *
 * <p>A site can make its own name resolve to 127.0.0.1 (DNS rebinding); its pages could then read every answer. Their
 * requests have that name in the Host header, so a request is answered only if the header names this machine's loopback. In
 * addition, any page can send a POST to any address, even if it cannot read the answer. Browsers name the page's site in
 * Origin and Sec-Fetch-Site.
 */
final class OriginCheck {
    private static final Pattern LOOPBACK = Pattern.compile(
            "(?:localhost|127(?:\\.(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}|\\[::1])(?::(\\d{0,5}))?",
            Pattern.CASE_INSENSITIVE);
    private static final String SCHEME = "http://";
    private static final int HTTP_PORT = 80;

    private OriginCheck() {}

    /** The reason why a request with this Host header is refused; null if it is not. */
    static @Nullable RequestException refusedHost(HttpRequest request, int ownPort) {
        List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
        if (hosts.isEmpty() && request.protocolVersion().compareTo(HttpVersion.HTTP_1_1) < 0) {
            return null;
        }
        if (hosts.size() != 1) {
            return RequestException.bad("the request has " + hosts.size() + " Host headers; HTTP/1.1 requires one");
        }
        if (LOOPBACK.matcher(hosts.get(0)).matches()) {
            return null;
        }
        return new RequestException(
                421,
                "the Host header is \"" + shown(hosts.get(0)) + "\"; only localhost, 127.x.x.x and [::1] are allowed,"
                        + " so that no web site can read this by DNS rebinding. Use http://127.0.0.1:" + ownPort
                        + "; a reverse proxy must set Host to localhost");
    }

    /** The reason why a request that changes something is refused; null if no page of another site sent it. */
    static @Nullable RequestException refusedSite(HttpHeaders headers, int ownPort) {
        for (String site : headers.getAll("Sec-Fetch-Site")) {
            if (!site.equals("same-origin") && !site.equals("none")) {
                return foreign("Sec-Fetch-Site", site);
            }
        }
        for (String origin : headers.getAll(HttpHeaderNames.ORIGIN)) {
            if (!isOwn(origin, ownPort)) {
                return foreign("Origin", origin);
            }
        }
        return null;
    }

    private static RequestException foreign(String header, String value) {
        return new RequestException(
                403,
                "the " + header + " header is \"" + shown(value) + "\"; a web page of another site or port may not"
                        + " change anything here. Send the request without a browser, as curl -X POST does");
    }

    private static boolean isOwn(String origin, int ownPort) {
        if (!origin.startsWith(SCHEME)) {
            return false;
        }
        Matcher host = LOOPBACK.matcher(origin.substring(SCHEME.length()));
        if (!host.matches()) {
            return false;
        }
        String port = host.group(1);
        return (port == null || port.isEmpty() ? HTTP_PORT : Integer.parseInt(port)) == ownPort;
    }

    private static String shown(String value) {
        byte[] bytes = value.getBytes(ISO_8859_1);
        return FaultLog.shown(bytes, 0, bytes.length);
    }
}
