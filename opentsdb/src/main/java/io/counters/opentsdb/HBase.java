package io.counters.opentsdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hbase.HBaseConfiguration;
import org.apache.hadoop.hbase.LocalHBaseCluster;
import org.apache.hadoop.hbase.TableName;
import org.apache.hadoop.hbase.client.Admin;
import org.apache.hadoop.hbase.client.ColumnFamilyDescriptorBuilder;
import org.apache.hadoop.hbase.client.Connection;
import org.apache.hadoop.hbase.client.ConnectionFactory;
import org.apache.hadoop.hbase.client.TableDescriptorBuilder;
import org.apache.hadoop.hbase.zookeeper.MiniZooKeeperCluster;

/**
 * ZooKeeper, an HBase master and a region server in one JVM, on free ports of the loopback address, with their files in
 * one folder and the tables that OpenTSDB needs. For JDK 11 to 23.
 */
public final class HBase {
    /** Longer than any test suspends it: if a session expired meanwhile, the region server would end. */
    private static final int SESSION_MILLIS = 120_000;

    private HBase() {}

    /**
     * Prints {@code zookeeper 127.0.0.1:PORT} once a TSD can connect, and keeps running.
     *
     * @param arguments the folder
     */
    public static void main(String[] arguments) {
        try {
            start(Path.of(arguments[0]).toAbsolutePath());
        } catch (Exception | LinkageError failure) {
            failure.printStackTrace();
            // Threads that have started would keep the process running.
            Runtime.getRuntime().halt(1);
        }
    }

    private static void start(Path folder) throws Exception {
        Configuration settings = HBaseConfiguration.create();
        settings.set("hbase.rootdir", folder.resolve("hbase").toUri().toString());
        settings.set("hbase.tmp.dir", folder.resolve("tmp").toString());
        // Local files do not support hflush; they need only outlive this process.
        settings.setBoolean("hbase.unsafe.stream.capability.enforce", false);
        settings.set("hbase.wal.provider", "filesystem");
        for (String role : List.of("master", "regionserver")) {
            settings.set("hbase." + role + ".ipc.address", "127.0.0.1");
            settings.set("hbase." + role + ".hostname", "localhost");
            settings.set("hbase.unsafe." + role + ".hostname", "localhost");
            settings.setInt("hbase." + role + ".port", 0);
            settings.setInt("hbase." + role + ".info.port", -1);
        }
        settings.setInt("hbase.regionserver.handler.count", 10);
        // There is only one region server, so the master must not wait for more.
        settings.setInt("hbase.master.wait.on.regionservers.mintostart", 1);
        settings.setInt("hbase.master.wait.on.regionservers.interval", 100);
        settings.setInt("hbase.master.wait.on.regionservers.timeout", 100);
        settings.setInt("hbase.regionserver.msginterval", 300);
        settings.setInt("zookeeper.session.timeout", SESSION_MILLIS);

        MiniZooKeeperCluster zooKeeper = new MiniZooKeeperCluster(settings);
        // ZooKeeper limits sessions to 20 ticks.
        zooKeeper.setTickTime(SESSION_MILLIS / 20);
        int port = zooKeeper.startup(
                Files.createDirectories(folder.resolve("zookeeper")).toFile());
        settings.set("hbase.zookeeper.quorum", "127.0.0.1");
        settings.setInt("hbase.zookeeper.property.clientPort", port);

        new LocalHBaseCluster(settings, 1, 1).startup();
        try (Connection connection = ConnectionFactory.createConnection(settings);
                Admin admin = connection.getAdmin()) {
            create(admin, "tsdb-uid", "id", "name");
            create(admin, "tsdb", "t");
            create(admin, "tsdb-tree", "t");
            create(admin, "tsdb-meta", "name");
        }
        System.out.println("zookeeper 127.0.0.1:" + port);
    }

    private static void create(Admin admin, String table, String... families) throws IOException {
        TableDescriptorBuilder builder = TableDescriptorBuilder.newBuilder(TableName.valueOf(table));
        for (String family : families) {
            builder.setColumnFamily(ColumnFamilyDescriptorBuilder.of(family));
        }
        admin.createTable(builder.build());
    }
}
