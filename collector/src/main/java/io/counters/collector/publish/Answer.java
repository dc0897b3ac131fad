package io.counters.collector.publish;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What a server's answer to a request says about its points. {@link ResponsePolicy} decides what follows from it. */
sealed interface Answer {
    /** Unauthorized, forbidden, not found, a login for a proxy, a timeout of the request. */
    Set<Integer> ACCESS = Set.of(401, 403, 404, 407, 408);

    /** All points are accepted. */
    record Taken() implements Answer {}

    /**
     * OpenTSDB checked the points one by one.
     *
     * @param reasons shortened, by the {@link PutResponse#key} of the points that were named
     * @param failed how many were not accepted
     * @param timeouts how many of these had not finished within the timeout
     */
    record Counted(Map<String, String> reasons, long failed, long timeouts) implements Answer {}

    /**
     * Some points were refused permanently, without saying which, and the others are accepted.
     *
     * @param rejected how many; 0 for a remark about a request that was accepted
     */
    record Partial(long rejected, String why) implements Answer {}

    /** No point was checked, because one of them, or the whole request, cannot be read. */
    record Unreadable(String why) implements Answer {}

    /**
     * The request was refused permanently; it must not be sent again.
     *
     * @param reason for the metric, one of a few words
     * @param isOfPoints whether some of its points may be the reason, so that the others could be accepted in another request
     */
    record Refused(String reason, String why, boolean isOfPoints) implements Answer {
        /** Decides by the status, and by the words if they are known. */
        static Refused of(int status, String text) {
            return byWords(status, text)
                    .orElseGet(
                            () -> new Refused("status_" + status, why(status, text), status == 400 || status == 422));
        }

        /** Decides by the words that Prometheus and its relatives use; they name no point. Empty if there are none. */
        static Optional<Refused> byWords(int status, String text) {
            String words = text.toLowerCase(Locale.ROOT).replace('-', ' ');
            String why = why(status, text);
            if (words.contains("out of order")) {
                return Optional.of(new Refused("out_of_order", why, true));
            }
            if (words.contains("duplicate")) {
                return Optional.of(new Refused("duplicate", why, true));
            }
            if (words.contains("too old")) {
                // Also said of a value that is out of order of its series, and older than what is allowed then.
                return Optional.of(new Refused("out_of_bounds", why, true));
            }
            if (words.contains("out of bounds") || words.contains("too far")) {
                // All points of a request have the same second.
                return Optional.of(new Refused("out_of_bounds", why, false));
            }
            return Optional.empty();
        }

        private static String why(int status, String text) {
            return "it answered " + status + ": " + text;
        }
    }

    /** Whether an error of the client says nothing about the points, but about a login, an address or a proxy. */
    static boolean isOfAccess(int status) {
        return ACCESS.contains(status);
    }

    /** The request is larger than the server allows. */
    record TooLarge() implements Answer {}

    /**
     * The server failed at this request, for a reason of its own or because of some of the points.
     *
     * @param delay how long the server asked to wait
     */
    record Failed(String why, Duration delay) implements Answer {}

    /**
     * A problem that does not depend on these points, and that may pass.
     *
     * @param maySize whether a request that is too large may also cause this
     * @param delay how long the server asked to wait
     */
    record Trouble(String why, boolean maySize, Duration delay) implements Answer {
        Trouble(String why, boolean maySize) {
            this(why, maySize, Duration.ZERO);
        }
    }
}
