package io.counters.collector.simulate;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Push;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A memcached that hangs, answers into the void, evicts and restarts empty. Increments wrap as the real one's do. */
final class SimulatedStore {
    private final Map<String, Long> values;
    private final List<Push> left = new ArrayList<>();
    private final List<Push> hanging = new ArrayList<>();
    private @Nullable Ledger asker;
    private final Random random;

    /** A store that one collector has for itself. */
    SimulatedStore(Random random) {
        this(random, new HashMap<>());
    }

    /** One collector's connection to the store that has these values. */
    SimulatedStore(Random random, Map<String, Long> values) {
        this.random = random;
        this.values = values;
    }

    /** Does what the ledger has cleared, or some of it, and answers, or does not. */
    void serve(Ledger ledger, boolean faulty) {
        if (faulty && random.nextInt(200) == 0) {
            values.clear();
        } else if (faulty && random.nextInt(50) == 0 && !values.isEmpty()) {
            values.keySet().remove(values.keySet().iterator().next());
        }
        // What was left hanging on the connection is done before anything that is asked on it later.
        left.forEach(this::answer);
        left.clear();
        // What hung is answered now; where who asked has ended, it was done or was not, and nobody knows.
        if (asker != ledger) {
            hanging.stream().filter(push -> random.nextBoolean()).forEach(this::answer);
            hanging.clear();
        }
        asker = ledger;
        if (!faulty || random.nextInt(3) == 0) {
            hanging.forEach(push -> ledger.settle(push, answer(push)));
            hanging.clear();
        }
        for (Push push : ledger.take(100, 1)) {
            int fate = faulty ? random.nextInt(11) : 9;
            if (fate == 0) {
                ledger.settle(push, new Push.Unknown("never done"));
            } else if (fate == 1) {
                answer(push);
                ledger.settle(push, new Push.Unknown("done, but the answer is lost"));
            } else if (fate == 2 && push.kind() != Push.Kind.READ) {
                left.add(push);
                ledger.settle(push, new Push.Unknown("done later"));
            } else if (fate == 10) {
                hanging.add(push);
            } else {
                ledger.settle(push, answer(push));
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

    /** What anybody would read there. */
    @Nullable
    Long value(String key) {
        return values.get(key);
    }
}
