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
 * Refuses requests of other sites' web pages, which a browser that reaches this port would send.
 *
 * <p>A site can make its own name resolve to the address of this port (DNS rebinding); its pages could then read every answer.
 * Their requests have that name in the Host header, so a request is answered only if the header has a name that the port is
 * known by. An address in the header is safe, because a site that is reached by it is this port; on loopback only loopback's are
 * needed. In addition, any page can send a POST to any address, even if it cannot read the answer. Browsers name the page's site
 * in Origin and Sec-Fetch-Site.
 *
 * <p>A port for programs takes any Host, because gateways keep theirs: everything there is a POST, which no web page may send.
 */
final class OriginCheck {
    private static final String PORT = "(?::(\\d{0,5}))?";
    private static final Pattern LOOPBACK = Pattern.compile(
            "(?:localhost|127(?:\\.(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}|\\[::1])" + PORT, Pattern.CASE_INSENSITIVE);
    private static final Pattern ADDRESS = Pattern.compile(
            "(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}|\\[[0-9a-f:.]{2,45}])" + PORT,
            Pattern.CASE_INSENSITIVE);
    private static final Pattern NAME = Pattern.compile("([A-Za-z0-9._-]{1,253}?)\\.?" + PORT);
    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;

    private final Guard guard;
    private final boolean isPage;
    private final boolean isLoopback;

    OriginCheck(Listening listening) {
        guard = listening.guard();
        isPage = listening.isPage();
        isLoopback = listening.bind().isLoopbackAddress();
    }

    /** The reason why a request with this Host header is refused; null if it is not. */
    @Nullable
    RequestException refusedHost(HttpRequest request, int ownPort) {
        List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
        if (!isPage) {
            return null;
        }
        if (hosts.isEmpty() && request.protocolVersion().compareTo(HttpVersion.HTTP_1_1) < 0) {
            return null;
        }
        if (hosts.size() != 1) {
            return RequestException.bad("the request has " + hosts.size() + " Host headers; HTTP/1.1 requires one");
        }
        if (isOwnHost(hosts.get(0))) {
            return null;
        }
        return new RequestException(
                421,
                "the Host header is \"" + shown(hosts.get(0)) + "\"; only "
                        + (isLoopback ? "localhost, 127.x.x.x and [::1]" : "localhost, addresses")
                        + " and the names in --http-names are allowed, so that no web site can read this by DNS rebinding. Use "
                        + (guard.isTls() ? "https" : "http") + "://127.0.0.1:" + ownPort
                        + "; a reverse proxy must keep the Host header, with a name in --http-names; if it sets localhost, programs"
                        + " are answered, but what the page posts is refused");
    }

    private boolean isOwnHost(String host) {
        return LOOPBACK.matcher(host).matches()
                || (!isLoopback && ADDRESS.matcher(host).matches())
                || isName(host);
    }

    private boolean isName(String host) {
        Matcher name = NAME.matcher(host);
        return name.matches() && guard.isName(name.group(1));
    }

    /** The reason why a request that changes something is refused; null if no page of another site sent it. */
    @Nullable
    RequestException refusedSite(HttpHeaders headers, int ownPort) {
        for (String site : headers.getAll("Sec-Fetch-Site")) {
            if (!site.equals("same-origin") && !site.equals("none")) {
                return foreign("Sec-Fetch-Site", site);
            }
        }
        for (String origin : headers.getAll(HttpHeaderNames.ORIGIN)) {
            if (!isOwn(origin, headers.get(HttpHeaderNames.HOST, ""), ownPort)) {
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

    /** Whether a page of this origin is one of this port, or of a reverse proxy before it that keeps the Host header. */
    private boolean isOwn(String origin, String host, int ownPort) {
        int end = origin.indexOf("://");
        String scheme = end < 0 ? "" : origin.substring(0, end);
        String site = origin.substring(end < 0 ? 0 : end + "://".length());
        boolean isOwnScheme = scheme.equals(guard.isTls() ? "https" : "http");
        if (isName(site)) {
            return (isOwnScheme || scheme.equals("https")) && site.equalsIgnoreCase(host);
        }
        if (!isOwnScheme || !isOwnHost(site)) {
            return false;
        }
        Matcher loopback = LOOPBACK.matcher(site);
        if (!loopback.matches()) {
            return site.equalsIgnoreCase(host);
        }
        String port = loopback.group(1);
        boolean hasPort = port != null && !port.isEmpty();
        int number = hasPort ? Integer.parseInt(port) : guard.isTls() ? HTTPS_PORT : HTTP_PORT;
        // By another Host this port is another machine's, and loopback's pages there are not its own.
        return (number == ownPort && LOOPBACK.matcher(host).matches()) || (hasPort && site.equalsIgnoreCase(host));
    }

    private static String shown(String value) {
        byte[] bytes = value.getBytes(ISO_8859_1);
        return FaultLog.shown(bytes, 0, bytes.length);
    }
}
