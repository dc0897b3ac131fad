package io.counters.collector.http;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds the route of a request: the one with the longest path that matches. */
final class Routes {
    private final List<Route> routes;
    private final String contents;

    Routes(List<Route> routes) {
        this.routes = routes.stream()
                .sorted((one, other) -> other.path().length() - one.path().length())
                .toList();
        contents = "this path does not exist; use " + listed(routes);
    }

    private static String listed(List<Route> routes) {
        List<String> names = routes.stream().map(Route::toString).toList();
        int last = names.size() - 1;
        return last == 0 ? names.get(0) : String.join(", ", names.subList(0, last)) + " and " + names.get(last);
    }

    /** The path of a request line, without its query. */
    static String path(String uri) {
        int query = uri.indexOf('?');
        return query < 0 ? uri : uri.substring(0, query);
    }

    /** The route of this request; null where {@link #find} would refuse it. */
    @Nullable
    Route look(String method, String rawPath) {
        return at(rawPath).filter(route -> route.takes(method)).findFirst().orElse(null);
    }

    /** @throws RequestException when no route has this path, or none of them takes this method */
    Route find(String method, String rawPath) {
        Route found = look(method, rawPath);
        if (found != null) {
            return found;
        }
        List<Route> others = at(rawPath).toList();
        if (others.isEmpty()) {
            throw new RequestException(404, contents);
        }
        String allowed = others.stream().map(Route::allowed).collect(Collectors.joining(", "));
        throw new RequestException(405, others.get(0).path() + " takes " + allowed + " only", Map.of("Allow", allowed));
    }

    /** The routes of the longest path that matches: one for each method. */
    private Stream<Route> at(String rawPath) {
        return routes.stream().filter(route -> route.matches(rawPath)).findFirst().map(Route::path).stream()
                .flatMap(path -> routes.stream().filter(route -> route.path().equals(path)));
    }
}
