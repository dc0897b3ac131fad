package io.counters.servers;

import io.counters.testsupport.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Derby's network server as named modules; rules select its methods. */
class DerbyIT extends DrivenServer {
    private int port;

    @Override
    Program start(Path base, List<String> options) throws Exception {
        port = Ports.reserve();
        return begin(base, Map.of(), control("start", options));
    }

    private List<String> control(String verb, List<String> options) throws IOException {
        List<String> command = new ArrayList<>(List.of(Program.java(), "-Xmx128m"));
        command.addAll(options);
        command.addAll(List.of(
                "-p",
                Folders.server("derby").toString(),
                "-m",
                "org.apache.derby.server/org.apache.derby.drda.NetworkServerControl",
                verb,
                "-h",
                "127.0.0.1",
                "-p",
                Integer.toString(port)));
        return command;
    }

    @Override
    String rules() {
        return "org.apache.derby.impl.drda.DRDAConnThread#parseACCRDB=derby.connections;"
                + "org.apache.derby.impl.sql.execute.CreateTableConstantAction#executeConstantAction=derby.tables";
    }

    @Override
    boolean isReady(Program server) throws IOException {
        return server.says("ready to accept connections");
    }

    @Override
    void request(int number) throws SQLException {
        try (Connection connection =
                        DriverManager.getConnection("jdbc:derby://127.0.0.1:" + port + "/orders;create=true");
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("create table orders" + number + " (pieces int)");
        }
    }

    @Override
    void stop(Program server, Path base, List<String> options) throws IOException {
        begin(base, Map.of(), control("shutdown", options));
    }

    @Override
    Map<String, Long> expected() {
        return Map.of("derby.connections", 3L, "derby.tables", 3L);
    }

    @Override
    List<Path> logs(Path base) {
        return List.of(base.resolve("derby.log"));
    }
}
