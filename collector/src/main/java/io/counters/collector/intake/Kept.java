package io.counters.collector.intake;

/** What became of the lines of a request. */
public enum Kept {
    /** All are kept: committed to disk, or in Kafka. */
    ALL(0),
    /** The disk or Kafka is late. */
    LATE(5),
    /** Too many names or streams are new in this minute, or there is no room for one. */
    NO_ROOM(60);

    private final int retrySeconds;

    Kept(int retrySeconds) {
        this.retrySeconds = retrySeconds;
    }

    /** After how many seconds the same request should be sent again; 0 if it need not be. */
    public int retrySeconds() {
        return retrySeconds;
    }
}
