package io.counters.collector.publish;

import java.io.IOException;
import java.util.List;

/** A tick's points as bodies, each exactly as it is sent, so that it is the same when it is sent again. */
interface TickBodies {
    /** The position of a body. */
    record Place(long at, int length, int points) {}

    /** Unix time. */
    long second();

    /** The number of points in all its bodies. */
    int points();

    /** The room that it takes. */
    long bytes();

    /**
     * Finds the bodies.
     *
     * @throws TickFile.DamagedFile if it is damaged
     * @throws IOException if it cannot be read now
     */
    List<Place> places() throws IOException;

    /** Reads one body. */
    byte[] read(Place place) throws IOException;

    /** Called when this body will not be read again, while the tick is not done. */
    default void sent(Place place) {
        // A file is deleted as a whole.
    }
}
