package io.counters.demo;

/** The shop refuses a request; the message is for the customer. */
final class Refused extends Exception {
    private final int status;

    /** @param status HTTP status, 400 to 599 */
    Refused(int status, String message) {
        super(message);
        this.status = status;
    }

    int status() {
        return status;
    }
}
