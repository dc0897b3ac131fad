package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.counters.testsupport.Program;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** A real browser without a screen. */
final class Chromium implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final HttpClient web = HttpClient.newHttpClient();
    private final Program program;
    private final String address;

    /** @param folder an empty one, for its profile */
    Chromium(Path folder) throws Exception {
        program = Program.start(
                "chromium",
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--remote-debugging-port=0",
                "--user-data-dir=" + folder,
                "about:blank");
        Path port = folder.resolve("DevToolsActivePort");
        await("the browser")
                .atMost(PATIENCE)
                .until(() -> Files.exists(port) && Files.readAllLines(port).size() > 1);
        address = "http://127.0.0.1:" + Files.readAllLines(port).get(0);
    }

    /** Opens a tab, which comes to the front. */
    Tab tab() throws Exception {
        JsonObject tab = JsonParser.parseString(ask("/json/new?about:blank")).getAsJsonObject();
        return new Tab(
                tab.get("id").getAsString(),
                URI.create(tab.get("webSocketDebuggerUrl").getAsString()));
    }

    /** Closes a tab; the others stay open. */
    void close(Tab tab) throws Exception {
        ask("/json/close/" + tab.id);
    }

    private String ask(String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address + path))
                .PUT(HttpRequest.BodyPublishers.noBody())
                .build();
        HttpResponse<String> answer = web.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return answer.body();
    }

    /** Closes the browser as a user does, so that it deletes its temporary files. */
    @Override
    public void close() {
        try {
            tab().closeAll();
            program.awaitEnd();
        } catch (Exception alreadyGone) {
            // It is killed below.
        } finally {
            program.close();
        }
    }
}
