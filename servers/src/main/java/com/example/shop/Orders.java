package com.example.shop;

import io.counters.Count;

/** The order that every application places for a request, counted like any class of an application. */
public final class Orders {
    private Orders() {}

    /** The answer to a request for this number of pieces; fewer than one are refused. */
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
