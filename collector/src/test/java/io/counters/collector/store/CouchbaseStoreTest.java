package io.counters.collector.store;

import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Reply;
import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** With CouchbaseMock, not a real Couchbase. */
@Tag("once")
@Tag("slow")
class CouchbaseStoreTest extends StoreContract {
    @Override
    ServerProcess newServer() throws IOException {
        return new CouchbaseMockServer();
    }

    @Override
    Store open(InetSocketAddress address) {
        return new CouchbaseStore(
                List.of(address), CouchbaseMockServer.BUCKET, false, CouchbaseMockServer.LOGIN, clock);
    }

    @Override
    String written(long number) {
        return Long.toString(number);
    }

    @Override
    int manyKeys() {
        return 4_000;
    }

    @Override
    Reply[] afterHang() {
        // The key is read before it is written, and a key that was not read in time is not written.
        return new Reply[] {new Holds(5), new Holds(7)};
    }
}
