package io.counters.benchmarks.startup;

import java.util.ArrayList;
import java.util.List;

/** A class of medium size. {@link StartUp} makes copies of it by replacing the number in its name. */
final class Part0000 implements Comparable<Part0000> {
    private static final List<Part0000> KNOWN = new ArrayList<>();

    private final String name;
    private final double price;
    private int pieces;

    Part0000(String name, double price) {
        this.name = name;
        this.price = price;
    }

    String name() {
        return name;
    }

    double price() {
        return price;
    }

    synchronized void deliver(int delivered) {
        if (delivered < 0) {
            throw new IllegalArgumentException(name.concat(": the number of delivered pieces is negative"));
        }
        pieces += delivered;
    }

    synchronized boolean take(int wanted) {
        if (wanted > pieces) {
            return false;
        }
        pieces -= wanted;
        return true;
    }

    static double worth() {
        double worth = 0;
        synchronized (KNOWN) {
            for (Part0000 part : KNOWN) {
                worth += part.price * part.pieces;
            }
        }
        return Math.round(worth * 100) / 100.0;
    }

    static void remember(Part0000 part) {
        synchronized (KNOWN) {
            KNOWN.add(part);
        }
    }

    @Override
    public int compareTo(Part0000 other) {
        int byPrice = Double.compare(price, other.price);
        return byPrice != 0 ? byPrice : name.compareTo(other.name);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Part0000 && compareTo((Part0000) other) == 0;
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + Double.hashCode(price);
    }

    @Override
    public String toString() {
        return new StringBuilder(name).append(" at ").append(price).toString();
    }
}
