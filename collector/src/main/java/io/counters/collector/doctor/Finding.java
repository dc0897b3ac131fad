package io.counters.collector.doctor;

/**
 * The result of one check.
 *
 * @param what was checked
 * @param found the result
 * @param remedy what to do; empty if nothing
 */
record Finding(Level level, String what, String found, String remedy) {
    /** How serious it is. */
    enum Level {
        OK("ok", 0),
        WARN("warn", 1),
        FAIL("FAIL", 2);

        private final String text;
        private final int exitStatus;

        Level(String text, int exitStatus) {
            this.text = text;
            this.exitStatus = exitStatus;
        }

        /** The exit status of a doctor whose most serious finding has this level. */
        int exitStatus() {
            return exitStatus;
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
