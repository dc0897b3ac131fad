package io.counters.collector.fleet;

import java.util.Set;
import java.util.TreeSet;

/**
 * A collector of a fleet.
 *
 * @param name its {@code --instance}
 * @param host its address as the brokers see it
 * @param httpPort of its page, which is on its machine's loopback; 0 if it is not known
 * @param partitions that it owns
 */
public record Member(String name, String host, int httpPort, Set<Integer> partitions) {
    private static final String ROLE = "owner-";

    public Member {
        partitions = Set.copyOf(partitions);
    }

    /** What an owner's consumer is called among its clients, so that others learn where its page is. */
    static String role(int httpPort) {
        return ROLE + httpPort;
    }

    /** The port in the client ID of an owner's consumer; 0 if there is none. */
    static int httpPort(String clientId) {
        String digits = clientId.substring(clientId.lastIndexOf('-') + 1);
        return digits.matches("\\d{1,5}") ? Integer.parseInt(digits) : 0;
    }

    /** The partitions in their order, with ranges: {@code 0-3, 7}. */
    public String ranges() {
        StringBuilder ranges = new StringBuilder();
        int begin = -1;
        int before = -2;
        for (int partition : new TreeSet<>(partitions)) {
            if (partition != before + 1) {
                end(ranges, begin, before);
                begin = partition;
            }
            before = partition;
        }
        end(ranges, begin, before);
        return ranges.toString();
    }

    private static void end(StringBuilder ranges, int begin, int last) {
        if (begin >= 0) {
            ranges.append(ranges.isEmpty() ? "" : ", ").append(begin).append(begin == last ? "" : "-" + last);
        }
    }
}
