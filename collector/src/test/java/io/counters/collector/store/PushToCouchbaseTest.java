package io.counters.collector.store;

import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** With CouchbaseMock, not a real Couchbase. */
@Tag("slow")
@Tag("once")
class PushToCouchbaseTest extends PusherContract {
    @Override
    ServerProcess newServer() throws IOException {
        return new CouchbaseMockServer();
    }

    @Override
    Store open(ServerProcess server) {
        return new CouchbaseStore(
                List.of(server.address()), CouchbaseMockServer.BUCKET, false, CouchbaseMockServer.LOGIN, clock);
    }

    @Override
    String written(long number) {
        return Long.toString(number);
    }

    @Override
    int manyCounters() {
        return 4_000;
    }

    @Override
    String said() {
        return "Couchbase at";
    }
}
