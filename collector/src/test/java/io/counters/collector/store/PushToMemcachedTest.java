package io.counters.collector.store;

import io.counters.testsupport.Memcached;
import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;

@Tag("slow")
@Tag("once")
class PushToMemcachedTest extends PusherContract {
    @Override
    ServerProcess newServer() throws IOException {
        return new Memcached();
    }

    @Override
    Store open(ServerProcess server) throws IOException {
        return new MemcachedStore(List.of(server.address()), Optional.empty(), clock);
    }

    @Override
    String written(long number) {
        return Long.toUnsignedString(number);
    }
}
