package io.counters.collector.self;

import java.util.List;

/**
 * The lines that were not taken for one reason since the program began.
 *
 * @param reason a word
 * @param rule that they broke, in words for a person
 * @param lines how many
 * @param examples of the senders that were heard last, the latest first
 */
public record RejectedLines(String reason, String rule, long lines, List<Example> examples) {
    public RejectedLines {
        examples = List.copyOf(examples);
    }

    /**
     * The latest line of one sender.
     *
     * @param sender its protocol and address
     * @param lines of it that were not taken for this reason, since it is kept here
     * @param secondsAgo when the line came
     * @param line as a log may show it
     */
    public record Example(String sender, long lines, long secondsAgo, String line) {}
}
