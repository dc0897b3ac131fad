package io.counters.demo;

import io.counters.Count;
import io.counters.Counter;
import io.counters.Counters;

/** Turns carts into orders: collects the payment and orders the picking. All methods may be called from any thread. */
final class Orders {
    static final int PIECE_CENTS = 1250;

    private final Carts carts;
    private final Payments payments;
    private final Warehouse warehouse;

    /** Delivered minus sold pieces: below zero, because this shop sells pieces before they are delivered. */
    private final Counter stock = Counters.counter("stock.balance");

    Orders(Carts carts, Payments payments, Warehouse warehouse) {
        this.carts = carts;
        this.payments = payments;
        this.warehouse = warehouse;
    }

    /** Orders the pieces in the cart. The cart ends, even if the order is refused. */
    @Count(value = "orders.placed", when = Count.When.RETURN, errors = "orders.refused")
    Receipt place(long cart, Payment payment) throws Refused {
        int pieces = carts.close(cart);
        if (pieces == 0) {
            throw new Refused(409, "cart " + cart + " was empty");
        }
        int cents = pieces * PIECE_CENTS;
        switch (payment) {
            case CARD -> payments.byCard(cents);
            case INVOICE -> payments.byInvoice(cents);
        }
        Counters.add("orders.cents,currency=eur", cents);
        int delivered = warehouse.pick(pieces);
        stock.add(delivered - pieces);
        return new Receipt(pieces, cents, delivered, labels(cart));
    }

    @Count(value = "labels.printed", amount = 2)
    private static String labels(long cart) {
        return "to the customer of cart " + cart + ", and back";
    }
}
