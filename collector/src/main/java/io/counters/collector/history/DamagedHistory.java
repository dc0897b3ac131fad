package io.counters.collector.history;

/** The file has content that this program never wrote. */
final class DamagedHistory extends RuntimeException {
    private static final long serialVersionUID = 1;

    DamagedHistory(String what) {
        super(what);
    }
}
