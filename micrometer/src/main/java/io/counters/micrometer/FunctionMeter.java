package io.counters.micrometer;

/** A meter whose values are those of functions of the application. */
interface FunctionMeter {
    /** Reads the functions, and counts what they have risen by; throws what they throw. */
    void read();
}
