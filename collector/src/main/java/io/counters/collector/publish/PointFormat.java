package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Outcome.Rest;
import java.io.IOException;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What differs between the kinds of servers that accept points by HTTP: requests, and answers to them. */
interface PointFormat {
    /** What such a server is called in messages. */
    String server();

    /** The headers of every request. */
    Map<String, String> headers();

    /** How long a request may take until it counts as unanswered. */
    Duration patience();

    /**
     * The maximum points of a body.
     *
     * @param bytesMax the maximum bytes of a body
     */
    int pointsMax(int bytesMax);

    /** Packs the points in {@code [begin, end)} of a tick as a body, as it is sent. For one thread. */
    byte[] pack(long second, Snapshot values, int begin, int end);

    /**
     * The points of a body, of at least two, as two bodies.
     *
     * @throws TickFile.DamagedFile if a disk has changed it, as far as it shows
     */
    List<Rest> halves(byte[] body) throws TickFile.DamagedFile;

    /**
     * The first point of a body, for the log.
     *
     * @throws TickFile.DamagedFile if a disk has changed it, as far as it shows
     */
    String first(byte[] body) throws TickFile.DamagedFile;

    /** How an answer's bytes are read as text. */
    default Charset charset() {
        return UTF_8;
    }

    /**
     * Reads an answer to its end, or until it is clear what it means.
     *
     * @param wait how long the server asked to wait
     * @param points the number of points in the request
     * @throws IOException if the connection breaks before its end
     */
    Answer read(int status, Duration wait, BoundedText body, int points) throws IOException;
}
