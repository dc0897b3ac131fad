package io.counters.collector.fleet;

/** The topic {@code PREFIX.lines}, to which one thread of a {@link Gatherer} writes. Other methods are for any thread. */
interface LineLog extends AutoCloseable {
    /** What a record contains, for the count of what was lost. */
    record Contents(int totals, int amounts, int numbers, int bytes) {}

    /** Gets what became of each record. Its methods may be called from any thread, and must not wait. */
    interface Answers {
        /** There is still no room for the record; it is tried again. */
        void waiting();

        /** The record is in the log. */
        void acknowledged(Contents contents);

        /** The record is not in the log, or nobody knows whether it is; it is not sent again. */
        void failed(Contents contents, Exception why);
    }

    /** Whether there is room for another window. */
    boolean hasRoom();

    /** The bytes that wait for an acknowledgement. */
    long waitingBytes();

    /** The most that should wait. */
    long waitingBytesMax();

    /**
     * Writes a record. Waits for room if there is none.
     *
     * @param text not changed afterwards
     * @param wallMillis the record's time
     */
    void append(int partition, byte[] text, long wallMillis, Contents contents, Answers answers);

    /** Gives up, this long from now, whatever waits for room or for an acknowledgement then. */
    void endWithin(long millis);

    /** Waits for the acknowledgement of what was written, until the end that was set; what still waits then fails. */
    @Override
    void close();
}
