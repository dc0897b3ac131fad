package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.Function;

/**
 * A text file of the program's jar: a page, a script or a style. Browsers cache it, and ask each time whether it has changed.
 * A page may load nothing but files of this port, and no other site may show it in a frame.
 */
final class StaticFile implements Function<Request, Response> {
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "svg", "image/svg+xml");
    private static final String CLOSED = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    /** Of an answer that is no page: a browser that shows it loads nothing. */
    static final String POLICY_OF_ANSWERS = "default-src 'none'; " + CLOSED;

    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " + CLOSED;

    private final String type;
    private final String text;
    private final String tag;

    /**
     * Reads the file.
     *
     * @param resource relative to the class, or absolute if it begins with a slash
     */
    StaticFile(Class<?> beside, String resource) {
        type = TYPES.getOrDefault(resource.substring(resource.lastIndexOf('.') + 1), "");
        try (InputStream in = beside.getResourceAsStream(resource)) {
            if (in == null || type.isEmpty()) {
                throw new IllegalArgumentException(resource + " is not in the jar, or is not html, js, css or svg");
            }
            byte[] bytes = in.readAllBytes();
            text = new String(bytes, UTF_8);
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            tag = '"' + HexFormat.of().formatHex(digest, 0, 16) + '"';
        } catch (IOException unreadable) {
            throw new UncheckedIOException(resource + " cannot be read from the jar", unreadable);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JDK has SHA-256", impossible);
        }
    }

    @Override
    public Response apply(Request request) {
        String known = request.header("If-None-Match");
        boolean isKnown = known != null && known.contains(tag);
        return new Response(
                isKnown ? 304 : 200,
                type,
                Text.of(isKnown ? "" : text),
                Map.of("ETag", tag, "Cache-Control", "no-cache", "Content-Security-Policy", POLICY));
    }
}
