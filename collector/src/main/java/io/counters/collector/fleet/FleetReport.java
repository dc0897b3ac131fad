package io.counters.collector.fleet;

import java.util.ArrayList;
import java.util.List;

/**
 * What the brokers say about a fleet's topics.
 *
 * @param brokers how many there are; 0 if none answers
 * @param partitions of the topics; 0 while that is not known
 * @param absent topics that do not exist yet
 * @param faults why a collector cannot work, the most important first
 * @param remarks why counts could be lost, or a collector could be slow
 */
public record FleetReport(
        int brokers, int partitions, List<String> absent, List<Problem> faults, List<Problem> remarks) {
    /**
     * One problem.
     *
     * @param found what is wrong
     * @param remedy what to do about it
     */
    public record Problem(String found, String remedy) {
        @Override
        public String toString() {
            return found + "; " + remedy;
        }
    }

    /** What a look finds. */
    static final class Problems {
        final List<Problem> faults = new ArrayList<>();
        final List<Problem> remarks = new ArrayList<>();

        void fault(String found, String remedy) {
            faults.add(new Problem(found, remedy));
        }

        void remark(String found, String remedy) {
            remarks.add(new Problem(found, remedy));
        }
    }

    public FleetReport {
        absent = List.copyOf(absent);
        faults = List.copyOf(faults);
        remarks = List.copyOf(remarks);
    }

    /** Whether a collector can work: the topics exist, and none has a fault. */
    public boolean isReady() {
        return faults.isEmpty() && absent.isEmpty() && partitions > 0;
    }
}
