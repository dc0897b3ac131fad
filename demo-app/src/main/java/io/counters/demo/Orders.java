package io.counters.demo;

import io.counters.Count;
import io.counters.Counter;
import io.counters.Counters;

/** Turns carts into orders: takes the money, has the goods picked. All methods may be called from any thread. */
final class Orders {
    static final int PIECE_CENTS = 1250;

    private final Carts carts;
    private final Payments payments;
    private final Warehouse warehouse;

    /** Delivered less sold: below zero, as this shop sells what it does not have yet. */
    private final Counter stock = Counters.counter("stock.balance");

    Orders(Carts carts, Payments payments, Warehouse warehouse) {
        this.carts = carts;
        this.payments = payments;
        this.warehouse = warehouse;
    }

    /** Orders what is in the cart, which ends the cart whatever comes of it. */
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
