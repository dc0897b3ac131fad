package io.counters.collector.simulate;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Push;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A memcached that hangs, loses answers, evicts and restarts empty. Increments wrap around as in the real memcached. */
final class SimulatedStore {
    private final Map<String, Long> values = new HashMap<>();
    private final List<Push> left = new ArrayList<>();
    private final List<Push> hanging = new ArrayList<>();
    private @Nullable Ledger asker;
    private final Random random;

    SimulatedStore(Random random) {
        this.random = random;
    }

    /** Executes the pushes that the ledger has released, or some of them, and answers, or does not. */
    void serve(Ledger ledger, boolean faulty) {
        if (faulty && random.nextInt(200) == 0) {
            values.clear();
        } else if (faulty && random.nextInt(50) == 0 && !values.isEmpty()) {
            values.keySet().remove(values.keySet().iterator().next());
        }
        // What was left waiting on the connection is executed before any later request on it.
        left.forEach(this::answer);
        left.clear();
        // Pushes that hung are answered below; if their ledger has crashed, each was executed or not, at random.
        if (asker != ledger) {
            hanging.stream().filter(push -> random.nextBoolean()).forEach(this::answer);
            hanging.clear();
        }
        asker = ledger;
        if (!faulty || random.nextInt(3) == 0) {
            hanging.forEach(push -> ledger.answered(push, answer(push)));
            hanging.clear();
        }
        for (Push push : ledger.take(100, 1)) {
            int fate = faulty ? random.nextInt(11) : 9;
            if (fate == 0) {
                ledger.answered(push, new Push.Unknown("never executed"));
            } else if (fate == 1) {
                answer(push);
                ledger.answered(push, new Push.Unknown("executed, but the answer is lost"));
            } else if (fate == 2 && push.kind() != Push.Kind.READ) {
                left.add(push);
                ledger.answered(push, new Push.Unknown("executed later"));
            } else if (fate == 10) {
                hanging.add(push);
            } else {
                ledger.answered(push, answer(push));
            }
        }
    }

    private Push.Reply answer(Push push) {
        Long value = values.get(push.key());
        return switch (push.kind()) {
            case READ -> value == null ? new Push.Missing() : new Push.Holds(value);
            case ADD -> value != null ? new Push.Exists() : put(push.key(), push.number());
            case INCREMENT -> value == null ? new Push.Missing() : put(push.key(), value + push.number());
        };
    }

    private Push.Reply put(String key, long value) {
        values.put(key, value);
        return new Push.Holds(value);
    }

    /** The value of a key, or null. */
    @Nullable
    Long value(String key) {
        return values.get(key);
    }
}
