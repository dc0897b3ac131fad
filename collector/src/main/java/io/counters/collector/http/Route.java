package io.counters.collector.http;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import java.util.Set;
import java.util.function.Function;

/**
 * One path, and what answers it. A request that changes something must be a POST or a DELETE: only those are refused if
 * another site's page sends them.
 *
 * @param method {@code GET}, which takes HEAD too, {@code POST} or {@code DELETE}
 * @param path may have one {@code *}, which stands for one or more characters, including slashes: {@link Request#rest}
 * @param bodyBytesMax the maximum length of a body; 0 if the route needs none
 * @param answer called once for each request, on the thread that {@code work} determines; a {@link RequestException} becomes
 *     the answer, anything else that it throws is answered with 500
 */
public record Route(String method, String path, Work work, int bodyBytesMax, Function<Request, Response> answer) {
    /** How much work an answer is, which determines its thread. Of each kind but the first, at most two exist until they are sent. */
    public enum Work {
        /** Created on the event loop: takes no lock, does no I/O. */
        NONE,
        /** Created by a worker: may wait for a lock. */
        SOME,
        /** Created by a worker; its size grows with the number of counters. */
        MUCH,
        /** Created by a worker: waits for the disk, which may hang. Only other work of this kind waits then. */
        DISK
    }

    /** What supervisors and load balancers ask, which have no token: they learn whether the answer is good, and not why. */
    private static final Set<String> FOR_STRANGERS = Set.of("/healthz", "/readyz");

    /** Whether a request without the token is answered, without details; such a route needs no work. */
    static boolean isForStrangers(String method, String rawPath) {
        return (method.equals("GET") || method.equals("HEAD")) && FOR_STRANGERS.contains(rawPath);
    }

    public static Route get(String path, Work work, Function<Request, Response> answer) {
        return new Route("GET", path, work, 0, answer);
    }

    public static Route post(String path, Work work, Function<Request, Response> answer) {
        return post(path, 0, work, answer);
    }

    public static Route post(String path, int bodyBytesMax, Work work, Function<Request, Response> answer) {
        return new Route("POST", path, work, bodyBytesMax, answer);
    }

    public static Route delete(String path, Work work, Function<Request, Response> answer) {
        return new Route("DELETE", path, work, 0, answer);
    }

    /**
     * A file of the program's jar: a page, a script or a style.
     *
     * @param resource its name relative to the class, or an absolute one that begins with a slash; ends with its type
     * @throws IllegalArgumentException when the jar does not contain it
     */
    public static Route file(String path, Class<?> beside, String resource) {
        return get(path, Work.NONE, new StaticFile(beside, resource));
    }

    /** {@code /metrics}: the program's metrics, for Prometheus. */
    public static Route metrics(Metrics metrics) {
        return get("/metrics", Work.SOME, request -> {
            Exposition format = Exposition.of(request);
            return new Response(200, format.type(), Text.of(format.text(metrics.snapshots())));
        });
    }

    /** {@code /api/rejected}: the rejected lines by reason, with examples by sender. */
    public static Route rejected(FaultLog faults) {
        return get(
                "/api/rejected",
                Work.SOME,
                request -> new Response(200, Response.JSON, new RejectedText(faults.rejectedLines())));
    }

    /** Whether the path of a request, not decoded, is one of this route's. */
    boolean matches(String rawPath) {
        int star = path.indexOf('*');
        return star < 0
                ? rawPath.equals(path)
                : rawPath.length() >= path.length()
                        && rawPath.startsWith(path.substring(0, star))
                        && rawPath.endsWith(path.substring(star + 1));
    }

    /** What the {@code *} stands for in a path that matches. */
    String rest(String rawPath) {
        int star = path.indexOf('*');
        return star < 0 ? "" : rawPath.substring(star, rawPath.length() - (path.length() - star - 1));
    }

    boolean takes(String asked) {
        return asked.equals(method) || (asked.equals("HEAD") && method.equals("GET"));
    }

    boolean changes() {
        return !method.equals("GET");
    }

    String allowed() {
        return method.equals("GET") ? "GET, HEAD" : method;
    }

    /** The route as the list of paths shows it. */
    @Override
    public String toString() {
        return method.equals("GET") ? path : method + " " + path;
    }
}
