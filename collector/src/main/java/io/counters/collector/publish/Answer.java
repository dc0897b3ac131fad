package io.counters.collector.publish;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/** What a server's answer to a request says about its points. {@link ResponsePolicy} decides what follows from it. */
sealed interface Answer {
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
        /** Decides by the status and by the words that Prometheus and its relatives use; they name no point. */
        static Refused of(int status, String text) {
            String words = text.toLowerCase(Locale.ROOT);
            String why = "it answered " + status + ": " + text;
            if (words.contains("out of order")) {
                return new Refused("out_of_order", why, true);
            }
            if (words.contains("duplicate")) {
                return new Refused("duplicate", why, true);
            }
            if (words.contains("out of bounds") || words.contains("too old") || words.contains("too far")) {
                // All points of a request have the same second.
                return new Refused("out_of_bounds", why, false);
            }
            return new Refused("status_" + status, why, status == 400 || status == 422);
        }
    }

    /** The request is larger than the server allows. */
    record TooLarge() implements Answer {}

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
