package io.counters.demo;

import io.counters.Count;
import io.counters.Counter;
import io.counters.Counters;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The open carts. All methods may be called from any thread. */
final class Carts {
    /** The maximum number of open carts; further customers are turned away. */
    static final int OPEN_MAX = 1000;

    private final Map<Long, Integer> pieces = new ConcurrentHashMap<>();
    private final AtomicLong last = new AtomicLong();
    private final Counter open = Counters.counter("carts.open");

    /** Opens an empty cart and returns its number. */
    @Count(value = "carts.opened", when = Count.When.RETURN)
    long open() throws Refused {
        if (pieces.size() >= OPEN_MAX) {
            Counters.increment("carts.turned_away");
            throw new Refused(503, "all our carts are taken");
        }
        long number = last.incrementAndGet();
        pieces.put(number, 0);
        open.increment();
        return number;
    }

    /** Puts one more piece in and returns how many there are. */
    int add(long number) throws Refused {
        return known(number, pieces.computeIfPresent(number, (same, before) -> before + 1));
    }

    /** The customer leaves without buying. */
    void abandon(long number) throws Refused {
        close(number);
        Counters.increment("carts.abandoned");
    }

    /** Ends the cart and returns how many pieces were in it. */
    int close(long number) throws Refused {
        int held = known(number, pieces.remove(number));
        open.decrement();
        return held;
    }

    private static int known(long number, @Nullable Integer held) throws Refused {
        if (held == null) {
            throw new Refused(404, "there is no cart " + number);
        }
        return held;
    }
}
