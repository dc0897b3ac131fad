package com.example.shop;

import io.counters.Count;

/** What every application does with a request, counted like any class of an application. */
public final class Orders {
    private Orders() {}

    /** The answer to a request for so many pieces; refuses none at all. */
    static String answer(String pieces) {
        try {
            return "placed " + place(Integer.parseInt(pieces));
        } catch (IllegalArgumentException refused) {
            return "refused";
        }
    }

    @Count(value = "orders.placed", when = Count.When.RETURN, errors = "orders.refused", inFlight = "orders.open")
    private static int place(int pieces) {
        if (pieces < 1) {
            throw new IllegalArgumentException("nothing is ordered");
        }
        return pieces;
    }
}
