package io.counters.collector.common;

import java.util.List;

/**
 * The lines that were rejected for one reason since the program started.
 *
 * @param reason a word
 * @param rule the rule that they broke, as text for people
 * @param lines their number
 * @param examples one line of each of the last senders, the latest first
 */
public record RejectedLines(String reason, String rule, long lines, List<Example> examples) {
    public RejectedLines {
        examples = List.copyOf(examples);
    }

    /**
     * The latest line of one sender.
     *
     * @param sender its protocol and address
     * @param lines the number of its lines that were rejected for this reason since it has a place here
     * @param secondsAgo when the line arrived
     * @param line the line as a log may show it
     */
    public record Example(String sender, long lines, long secondsAgo, String line) {}
}
