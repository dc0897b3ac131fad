package io.counters.collector.store;

/** Who the collector is to a store. Never shown. */
public record StoreLogin(String user, String password) {
    /** Shows neither. */
    @Override
    public String toString() {
        return "a login";
    }
}
