package io.counters.collector.dashboard;

import io.counters.collector.http.Answer;
import io.counters.collector.http.Request;
import io.counters.collector.http.Route;
import io.counters.collector.http.Route.Work;
import io.counters.collector.ledger.Commit;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Removal;

/** {@code DELETE /api/counters/NAME}: the only request that changes a value. */
public final class Removals {
    private final Ledger ledger;
    private final Commit commit;

    public Removals(Ledger ledger, Commit commit) {
        this.ledger = ledger;
        this.commit = commit;
    }

    public Route route() {
        return Route.delete("/api/counters/*", Work.SOME, this::remove);
    }

    private Answer remove(Request request) {
        request.allow();
        String name = CountersApi.name(request);
        Removal removal = ledger.remove(name);
        if (removal == null) {
            throw CountersApi.unknown(name, ledger);
        }
        boolean isCommitted = commit.run();
        return Answer.json(json -> {
            json.beginObject().name("name").value(removal.name());
            json.name("value").value(removal.value());
            json.name("pushed").value(removal.isPushed());
            json.name("watermarks").value(removal.watermarks());
            json.name("committed").value(isCommitted).endObject();
            return false;
        });
    }
}
