package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.couchbase.client.core.error.CasMismatchException;
import com.couchbase.client.core.error.DocumentExistsException;
import com.couchbase.client.core.error.DocumentNotFoundException;
import com.couchbase.client.core.retry.FailFastRetryStrategy;
import com.couchbase.client.java.AsyncCluster;
import com.couchbase.client.java.AsyncCollection;
import com.couchbase.client.java.ClusterOptions;
import com.couchbase.client.java.codec.RawJsonTranscoder;
import com.couchbase.client.java.env.ClusterEnvironment;
import com.couchbase.client.java.kv.GetOptions;
import com.couchbase.client.java.kv.InsertOptions;
import com.couchbase.client.java.kv.ReplaceOptions;
import com.couchbase.client.java.kv.UpsertOptions;
import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Couchbase, by its SDK.
 *
 * <p>Couchbase's own counters are unsigned and stop at 0, and its SDK refuses a negative difference. So a counter is a
 * document that is a JSON number, with its sign. It is changed by a read, and a replace with the CAS value that was
 * read. That takes two round trips, but it is exact below zero, creates no missing key, and a late replace finds
 * another CAS value and does nothing. Queries and all SDKs read it as a number.
 *
 * <p>The SDK gives up by itself after {@value #PATIENCE_MILLIS} ms, and thereby answers the request.
 */
final class CouchbaseStore implements Store {
    private static final Logger log = LoggerFactory.getLogger(CouchbaseStore.class);

    private static final int WINDOW = 500;
    private static final long PATIENCE_MILLIS = 1000;
    private static final Duration CLOSE = Duration.ofSeconds(1);

    private final String text;
    private final ClusterEnvironment environment;
    private final AsyncCluster cluster;
    private final AsyncCollection collection;
    private final Pipeline pipeline;
    private @Nullable CompletableFuture<?> stamping;

    /**
     * Opens the client, which connects and reconnects by itself.
     *
     * @param servers some nodes of the cluster; the client learns the others from them
     * @param login required by every cluster
     */
    CouchbaseStore(
            List<InetSocketAddress> servers, String bucket, boolean tls, StoreLogin login, LongSupplier nanoClock) {
        String hosts = servers.stream().map(StoreSettings::text).collect(Collectors.joining(", "));
        text = "Couchbase at " + hosts + ", bucket " + bucket;
        environment = ClusterEnvironment.builder()
                .timeoutConfig(timeouts -> timeouts.kvTimeout(Duration.ofMillis(PATIENCE_MILLIS)))
                .retryStrategy(FailFastRetryStrategy.INSTANCE)
                .build();
        cluster = AsyncCluster.connect(
                (tls ? "couchbases://" : "couchbase://") + hosts.replace(" ", ""),
                ClusterOptions.clusterOptions(login.user(), login.password()).environment(environment));
        collection = cluster.bucket(bucket).defaultCollection();
        pipeline = new Pipeline(
                new Pipeline.Client() {
                    @Override
                    public String server(String key) {
                        return text;
                    }

                    @Override
                    public void ask(Pipeline.Batch batch) {
                        batch.askEach(CouchbaseStore.this::ask);
                    }
                },
                WINDOW,
                nanoClock);
        try {
            cluster.bucket(bucket)
                    .waitUntilReady(Duration.ofMillis(PATIENCE_MILLIS))
                    .join();
        } catch (CompletionException notYet) {
            log.info("{} is not connected yet", this);
        }
    }

    private record Document(String text, long cas) {}

    private CompletableFuture<Document> get(String key) {
        return collection
                .get(key, GetOptions.getOptions().transcoder(RawJsonTranscoder.INSTANCE))
                .thenApply(found -> new Document(new String(found.contentAs(byte[].class), ISO_8859_1), found.cas()));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    @Override
    public void send(Requests requests, Replies replies) {
        pipeline.send(requests, replies);
    }

    private CompletableFuture<Reply> ask(Push request) {
        String key = request.key();
        CompletableFuture<Reply> reply = switch (request.kind()) {
            case ADD ->
                collection
                        .insert(
                                key,
                                bytes(Long.toString(request.number())),
                                InsertOptions.insertOptions().transcoder(RawJsonTranscoder.INSTANCE))
                        .thenApply(done -> new Holds(request.number()));
            case INCREMENT -> get(key).thenCompose(document -> move(request, document));
            case READ -> get(key).thenApply(CouchbaseStore::value);
        };
        return reply.exceptionally(this::failure);
    }

    private CompletableFuture<Reply> move(Push request, Document document) {
        if (!(value(document) instanceof Holds holds)) {
            return CompletableFuture.completedFuture(new Refused(NO_NUMBER));
        }
        long moved = holds.value() + request.number();
        return collection
                .replace(
                        request.key(),
                        bytes(Long.toString(moved)),
                        ReplaceOptions.replaceOptions().cas(document.cas).transcoder(RawJsonTranscoder.INSTANCE))
                .thenApply(done -> new Holds(moved));
    }

    private static Reply value(Document document) {
        try {
            return new Holds(Long.parseLong(document.text.trim()));
        } catch (NumberFormatException noCounter) {
            return new Refused(NO_NUMBER);
        }
    }

    private Reply failure(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof DocumentNotFoundException) {
            return new Missing();
        }
        if (cause instanceof DocumentExistsException) {
            return new Exists();
        }
        if (cause instanceof CasMismatchException) {
            return new Unknown("another program has written the same key");
        }
        // The rest of the SDK's message is a page of JSON.
        return new Unknown(text + ": " + cause.getClass().getSimpleName());
    }

    @Override
    public @Nullable String stamp(String key) throws IOException {
        return pipeline.ask(
                        key,
                        () -> get(key).thenApply(document -> Optional.of(unquoted(document.text)))
                                .exceptionally(failure -> {
                                    if (failure(failure) instanceof Missing) {
                                        return Optional.empty();
                                    }
                                    throw new CompletionException(
                                            new IOException(failure(failure).toString()));
                                }))
                .orElse(null);
    }

    private static String unquoted(String json) {
        return json.replace("\"", "");
    }

    @Override
    public void stamp(String key, String text) {
        // One at a time; the next round writes it again.
        if ((stamping == null || stamping.isDone()) && !pipeline.hangs(key)) {
            try {
                stamping = collection.upsert(
                        key,
                        bytes("\"" + text + "\""),
                        UpsertOptions.upsertOptions().transcoder(RawJsonTranscoder.INSTANCE));
            } catch (RuntimeException notSent) {
                log.trace("the stamp was not written to {}", this, notSent);
            }
        }
    }

    @Override
    public List<Server> servers() {
        return List.of();
    }

    @Override
    public String loss() {
        return "it was flushed, or restarted without its data, or an ephemeral bucket is too small";
    }

    @Override
    public String toString() {
        return text;
    }

    @Override
    public void close() {
        try {
            cluster.disconnect(CLOSE).join();
            environment.shutdownAsync(CLOSE).join();
        } catch (CompletionException late) {
            log.debug("{} did not close in time", this, late);
        }
    }
}
