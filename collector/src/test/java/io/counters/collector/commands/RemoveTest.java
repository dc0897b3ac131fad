package io.counters.collector.commands;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** When {@code rm} asks. The collector is a stub, because CommandsTest covers the answers of a real one. */
class RemoveTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<String> removed = new ArrayList<>();
    private HttpServer server;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/api/counters/", exchange -> {
            boolean isDelete = exchange.getRequestMethod().equals("DELETE");
            if (isDelete) {
                removed.add(exchange.getRequestURI().getPath());
            }
            byte[] body = ("{\"name\": \"a\", \"value\": 7"
                            + (isDelete ? ", \"pushed\": true, \"watermarks\": 2}" : "}"))
                    .getBytes(UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void close() {
        server.stop(0);
    }

    @ParameterizedTest
    @CsvSource({
        "true,  'y\n',   '',    true",
        "true,  'yes\n', '',    true",
        "true,  'n\n',   '',    false",
        "true,  '\n',    '',    false",
        "true,  '',      '',    false",
        "true,  '',      --yes, true",
        "false, '',      '',    true",
    })
    void rm_asks_at_a_terminal_and_not_in_a_script(boolean isTerminal, String typed, String flag, boolean isRemoved) {
        Shell shell = new Shell(
                new ByteArrayInputStream(typed.getBytes(UTF_8)),
                new PrintStream(out, true, UTF_8),
                new PrintStream(err, true, UTF_8),
                isTerminal,
                false,
                System::nanoTime,
                Thread::new);
        List<String> args = new ArrayList<>(
                List.of("a", "--at", "127.0.0.1:" + server.getAddress().getPort()));
        if (!flag.isEmpty()) {
            args.add(flag);
        }

        assertThat(new CommandLine(new Remove(shell)).execute(args.toArray(String[]::new)))
                .isZero();

        assertThat(removed.equals(List.of("/api/counters/a"))).isEqualTo(isRemoved);
        assertThat(err.toString(UTF_8).contains("remove a, whose value is 7? [y/N] "))
                .isEqualTo(isTerminal && flag.isEmpty());
        assertThat(out.toString(UTF_8))
                .isEqualTo(
                        isRemoved
                                ? "removed a: its value was 7 and is now 0, in the store too; watermarks that stay: 2\n"
                                : "");
    }
}
