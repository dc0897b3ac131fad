/**
 * The API of counters. Users may build on {@code io.counters} alone; the other packages are for counters' own modules and
 * the agent.
 */
module counters.core {
    exports io.counters;
    exports io.counters.cells;
    exports io.counters.emit;
    exports io.counters.ring;
    exports io.counters.wire;
}
