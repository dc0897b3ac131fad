package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.couchbase.client.core.error.DocumentNotFoundException;
import com.couchbase.client.core.service.ServiceType;
import com.couchbase.client.java.Cluster;
import com.couchbase.client.java.ClusterOptions;
import com.couchbase.client.java.codec.RawJsonTranscoder;
import com.couchbase.client.java.diagnostics.WaitUntilReadyOptions;
import com.couchbase.client.java.kv.GetOptions;
import com.couchbase.client.java.kv.UpsertOptions;
import com.couchbase.mock.Bucket.BucketType;
import com.couchbase.mock.BucketConfiguration;
import com.couchbase.mock.CouchbaseMock;
import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** CouchbaseMock in its own JVM, with one bucket: it can be used without a license. */
final class CouchbaseMockServer extends ServerProcess {
    static final String BUCKET = "counters";
    static final StoreLogin LOGIN = new StoreLogin("Administrator", "password");

    CouchbaseMockServer() throws IOException {
        start();
        onceReady(documents -> documents);
    }

    /** Runs the mock with its bucket on a port. */
    public static void main(String[] args) throws Exception {
        BucketConfiguration bucket = new BucketConfiguration();
        bucket.numNodes = 1;
        bucket.numReplicas = 0;
        bucket.numVBuckets = 64;
        bucket.type = BucketType.COUCHBASE;
        bucket.name = BUCKET;
        bucket.password = "password";
        bucket.bucketStartPort = Integer.parseInt(args[0]);
        // The mock's command line can set this, but not a port.
        Field bootstrapByData = CouchbaseMock.class.getDeclaredField("cccpBootstrap");
        bootstrapByData.setAccessible(true);
        bootstrapByData.set(null, true);
        CouchbaseMock mock = new CouchbaseMock(0, List.of(bucket));
        mock.start();
        mock.waitForStartup();
        Thread.currentThread().join();
    }

    @Override
    protected List<String> command(int port) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                CouchbaseMockServer.class.getName(),
                String.valueOf(port));
    }

    @Override
    protected boolean answers() throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
            return socket.isConnected();
        }
    }

    /** Uses a new client, which has no state of an earlier run of the server. */
    private <T> T onceReady(Function<com.couchbase.client.java.Collection, T> work) {
        try (Cluster client = Cluster.connect(
                "couchbase://127.0.0.1:" + port(), ClusterOptions.clusterOptions(LOGIN.user(), LOGIN.password()))) {
            client.bucket(BUCKET)
                    .waitUntilReady(
                            Duration.ofSeconds(20),
                            WaitUntilReadyOptions.waitUntilReadyOptions().serviceTypes(ServiceType.KV));
            return work.apply(client.bucket(BUCKET).defaultCollection());
        }
    }

    @Override
    public String get(String key) {
        try {
            return onceReady(documents -> new String(
                    documents
                            .get(key, GetOptions.getOptions().transcoder(RawJsonTranscoder.INSTANCE))
                            .contentAs(byte[].class),
                    ISO_8859_1));
        } catch (DocumentNotFoundException none) {
            return "";
        }
    }

    @Override
    public void set(String key, String value) {
        onceReady(documents -> documents.upsert(
                key, value.getBytes(ISO_8859_1), UpsertOptions.upsertOptions().transcoder(RawJsonTranscoder.INSTANCE)));
    }

    @Override
    public void delete(String key) {
        onceReady(documents -> documents.remove(key));
    }
}
