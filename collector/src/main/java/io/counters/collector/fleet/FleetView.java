package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Who owns what in a fleet, as it was known some seconds ago.
 *
 * @param collector the name of this collector
 * @param partitions how many the fleet has; 0 if there is no fleet
 * @param members the collectors, with this one, by name
 */
public record FleetView(String collector, int partitions, List<Member> members) {
    /** A collector that is in no fleet. */
    public static final FleetView NONE = new FleetView("", 0, List.of());

    public FleetView {
        members = List.copyOf(members);
    }

    public boolean isFleet() {
        return partitions > 0;
    }

    /** The partition of a counter. */
    public int partition(String name) {
        byte[] bytes = name.getBytes(ISO_8859_1);
        return Partitions.of(bytes, 0, bytes.length, partitions, new CRC32C());
    }

    /** The collector that owns a partition; empty if it is not known. */
    public Optional<Member> owner(int partition) {
        return members.stream()
                .filter(member -> member.partitions().contains(partition))
                .findFirst();
    }

    /** Whether a collector runs on the machine of this one, as far as that is known. */
    public boolean isHere(Member member) {
        return members.stream()
                .anyMatch(
                        known -> known.name().equals(collector) && known.host().equals(member.host()));
    }

    /** Where a collector's page is, in words; an address if it is on this machine. */
    public String page(Member member) {
        if (member.httpPort() == 0) {
            return "on " + member.host();
        }
        return isHere(member)
                ? "http://127.0.0.1:" + member.httpPort() + "/"
                : "on port " + member.httpPort() + " of " + member.host() + ", on its loopback";
    }
}
