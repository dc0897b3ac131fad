package io.counters.collector.fleet;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.TopicPartition;

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

    static Member of(MemberDescription member) {
        return new Member(
                member.groupInstanceId().orElse(member.clientId()),
                member.host().startsWith("/") ? member.host().substring(1) : member.host(),
                httpPort(member.clientId()),
                member.assignment().topicPartitions().stream()
                        .map(TopicPartition::partition)
                        .collect(Collectors.toSet()));
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
        List<String> ranges = new ArrayList<>();
        for (int partition : new TreeSet<>(partitions)) {
            if (!partitions.contains(partition - 1)) {
                int last = partition;
                while (partitions.contains(last + 1)) {
                    last++;
                }
                ranges.add(partition == last ? "" + last : partition + "-" + last);
            }
        }
        return String.join(", ", ranges);
    }
}
