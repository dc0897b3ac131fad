package io.counters.collector.store;

import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;

@Tag("once")
@Tag("slow")
class PushToRedisTest extends PusherContract {
    @Override
    ServerProcess newServer() throws IOException {
        return new Redis();
    }

    @Override
    Store open(ServerProcess server) throws IOException {
        return new RedisStore(List.of(server.address()), 0, false, Optional.empty(), clock);
    }

    @Override
    String written(long number) {
        return Long.toString(number);
    }
}
