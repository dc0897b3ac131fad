package io.counters.collector.fleet;

import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.CorruptRecordException;

/** What Kafka's clients say about a failure. */
final class Faults {
    /** Of a topic whose old records may be deleted; what that costs follows. */
    static final String OR_DELETE =
            "; or, without one, remove the records up to a later offset with kafka-delete-records.sh: ";

    private Faults() {}

    /**
     * What to do if this is a record that Kafka cannot read, which all later tries meet again; otherwise empty.
     *
     * @param otherwise what to do if no replica is sound
     */
    static String remedy(Throwable why, String otherwise) {
        for (Throwable cause = why; cause != null; cause = cause.getCause()) {
            if (cause instanceof CorruptRecordException
                    || (cause.getClass() == KafkaException.class
                            && reason(cause).matches("(?s).*(seek past the record|corrupt message).*"))) {
                return ". A record on the disk of the partition's leader is corrupt: make a replica that is sound the leader"
                        + " (stop that broker, or use kafka-leader-election.sh)" + otherwise;
            }
        }
        return "";
    }

    /** The message, or the kind of failure if there is none. */
    static String reason(Throwable why) {
        return why.getMessage() == null ? why.getClass().getSimpleName() : why.getMessage();
    }
}
