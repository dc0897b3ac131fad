package io.counters.collector.store;

/** The collector's user and password at a store. Never shown. */
record StoreLogin(String user, String password) {
    /** Shows neither of them. */
    @Override
    public String toString() {
        return "a login";
    }
}
