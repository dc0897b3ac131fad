package io.counters.demo;

/** How a customer pays. */
enum Payment {
    CARD,
    INVOICE
}
