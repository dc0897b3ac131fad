package io.counters.collector.publish;

import java.io.IOException;

/** A tick's file is damaged or missing; its points are lost. */
final class DamagedTick extends Exception {
    private static final long serialVersionUID = 1;
    final int points;

    DamagedTick(int points, IOException why) {
        super(why.getMessage(), why);
        this.points = points;
    }
}
