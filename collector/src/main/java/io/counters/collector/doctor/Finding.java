package io.counters.collector.doctor;

/**
 * The result of one check.
 *
 * @param what was checked
 * @param found what is there
 * @param remedy what to do; empty if nothing
 */
record Finding(Level level, String what, String found, String remedy) {
    /** How serious it is. */
    enum Level {
        OK("ok"),
        WARN("warn"),
        FAIL("FAIL");

        private final String text;

        Level(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static Finding ok(String what, String found) {
        return new Finding(Level.OK, what, found, "");
    }

    static Finding warning(String what, String found, String remedy) {
        return new Finding(Level.WARN, what, found, remedy);
    }

    static Finding failure(String what, String found, String remedy) {
        return new Finding(Level.FAIL, what, found, remedy);
    }
}
