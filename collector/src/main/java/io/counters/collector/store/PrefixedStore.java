package io.counters.collector.store;

import io.counters.collector.ledger.Push;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A store in which every counter's key has a prefix, which may be empty. */
public final class PrefixedStore implements Store {
    private final String prefix;
    private final Store store;

    /** @param store closed with this */
    public PrefixedStore(String prefix, Store store) {
        this.prefix = prefix;
        this.store = store;
    }

    @Override
    public void send(List<Push> requests, Replies replies) {
        if (prefix.isEmpty()) {
            store.send(requests, replies);
            return;
        }
        List<Push> prefixed = requests.stream()
                .map(push -> new Push(push.counter(), prefix + push.key(), push.kind(), push.number()))
                .toList();
        store.send(prefixed, replies);
    }

    @Override
    public @Nullable String mark() throws IOException {
        return store.mark();
    }

    @Override
    public void mark(String text) {
        store.mark(text);
    }

    @Override
    public String toString() {
        return store.toString();
    }

    @Override
    public void close() {
        store.close();
    }
}
