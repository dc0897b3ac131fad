package io.counters.shop;

import io.counters.Count;
import io.counters.Counters;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.stereotype.Service;

@Service
public class Orders implements DisposableBean {
    private final AtomicLong seen = new AtomicLong();
    private final Counter cents;

    Orders(MeterRegistry meters) {
        cents = meters.counter("orders.cents", "currency", "eur");
        FunctionCounter.builder("orders.seen", seen, AtomicLong::get).register(meters);
    }

    @Count(value = "orders.placed", when = Count.When.RETURN, errors = "orders.refused", inFlight = "orders.open")
    public void place(int amount) {
        seen.incrementAndGet();
        if (amount <= 0) {
            throw new IllegalArgumentException("an order costs something");
        }
        cents.increment(amount);
    }

    @Override
    public void destroy() {
        Counters.increment("orders.closed");
    }
}
