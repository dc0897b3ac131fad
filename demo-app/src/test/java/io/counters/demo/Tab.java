package io.counters.demo;

import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A tab of a {@link Chromium}, driven by its DevTools protocol. */
final class Tab {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final WebSocket socket;
    private final AtomicInteger ids = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonObject>> asked = new ConcurrentHashMap<>();
    private final List<String> complaints = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();

    /** The browser's name for it. */
    final String id;

    /** @param debugger its address for DevTools */
    Tab(String id, URI debugger) throws Exception {
        this.id = id;
        socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(debugger, new Messages())
                .get(30, TimeUnit.SECONDS);
        for (String domain : List.of("Runtime", "Log", "Page", "Network", "Performance")) {
            tell(domain + ".enable", "{}");
        }
        tell("Page.bringToFront", "{}");
    }

    /** Collects the browser's messages. */
    private final class Messages implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean isLast) {
            text.append(part);
            if (isLast) {
                JsonObject message = JsonParser.parseString(text.toString()).getAsJsonObject();
                text.setLength(0);
                take(message);
            }
            from.request(1);
            return CompletableFuture.completedStage(null);
        }
    }

    private void take(JsonObject message) {
        if (message.has("id")) {
            CompletableFuture<JsonObject> answer =
                    asked.remove(message.get("id").getAsInt());
            if (answer != null) {
                answer.complete(message);
            }
            return;
        }
        switch (message.get("method").getAsString()) {
            case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded" ->
                complaints.add(message.get("params").toString());
            case "Network.requestWillBeSent" ->
                requests.add(message.getAsJsonObject("params")
                        .getAsJsonObject("request")
                        .get("url")
                        .getAsString());
            default -> {
                // Other messages are ignored.
            }
        }
    }

    private JsonObject tell(String method, String parameters) throws Exception {
        int id = ids.incrementAndGet();
        CompletableFuture<JsonObject> answer = new CompletableFuture<>();
        asked.put(id, answer);
        socket.sendText("{\"id\":" + id + ",\"method\":\"" + method + "\",\"params\":" + parameters + "}", true)
                .get(30, TimeUnit.SECONDS);
        JsonObject message = answer.get(30, TimeUnit.SECONDS);
        if (message.has("error")) {
            throw new IOException(method + ": " + message.get("error"));
        }
        return message.getAsJsonObject("result");
    }

    /** Opens an address in the tab. */
    void open(String address) throws Exception {
        tell("Page.navigate", "{\"url\":" + quoted("about:blank") + "}");
        tell("Page.navigate", "{\"url\":" + quoted(address) + "}");
    }

    /** Accepts certificates that nobody vouches for. */
    void trustEveryCertificate() throws Exception {
        tell("Security.setIgnoreCertificateErrors", "{\"ignore\":true}");
    }

    /** Runs a script in each page that is opened from now on, before the page's own. */
    void runFirst(String script) throws Exception {
        tell("Page.addScriptToEvaluateOnNewDocument", "{\"source\":" + quoted(script) + "}");
    }

    /** Sets the tab's size, and light or dark mode. */
    void show(int width, int height, String scheme) throws Exception {
        tell(
                "Emulation.setDeviceMetricsOverride",
                "{\"width\":" + width + ",\"height\":" + height + ",\"deviceScaleFactor\":1,\"mobile\":" + (width < 600)
                        + "}");
        tell(
                "Emulation.setEmulatedMedia",
                "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"" + scheme + "\"}]}");
    }

    /** The result of a JavaScript expression, as text; waits if it is a promise. */
    String run(String expression) throws Exception {
        JsonObject result = tell(
                "Runtime.evaluate",
                "{\"expression\":" + quoted(expression) + ",\"awaitPromise\":true,\"returnByValue\":true}");
        if (result.has("exceptionDetails")) {
            throw new IOException(expression + ": " + result.get("exceptionDetails"));
        }
        JsonElement value = result.getAsJsonObject("result").get("value");
        return value == null || value.isJsonNull()
                ? ""
                : value.isJsonPrimitive() ? value.getAsString() : value.toString();
    }

    /** Waits until an expression is true; as long as the page is not loaded, it may also fail. */
    void awaitTrue(String what, String expression) {
        await(what)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> run(expression).equals("true"));
    }

    /** Presses the mouse at one place and releases it at another, with these modifier keys. */
    void drag(int fromX, int fromY, int toX, int toY, int modifiers) throws Exception {
        mouse("mousePressed", fromX, fromY, modifiers);
        for (int step = 1; step <= 10; step++) {
            mouse("mouseMoved", fromX + (toX - fromX) * step / 10, fromY + (toY - fromY) * step / 10, modifiers);
        }
        mouse("mouseReleased", toX, toY, modifiers);
    }

    private void mouse(String type, int x, int y, int modifiers) throws Exception {
        tell(
                "Input.dispatchMouseEvent",
                "{\"type\":\"" + type + "\",\"x\":" + x + ",\"y\":" + y + ",\"button\":\"left\",\"buttons\":1,"
                        + "\"clickCount\":1,\"modifiers\":" + modifiers + "}");
    }

    /** Presses a key, as a keyboard does. */
    void press(String key) throws Exception {
        String text = key.length() == 1 ? ",\"text\":" + quoted(key) : key.equals("Enter") ? ",\"text\":\"\\r\"" : "";
        tell("Input.dispatchKeyEvent", "{\"type\":\"keyDown\",\"key\":" + quoted(key) + text + "}");
        tell("Input.dispatchKeyEvent", "{\"type\":\"keyUp\",\"key\":" + quoted(key) + "}");
    }

    /** Types a text into the element that has the focus. */
    void type(String text) throws Exception {
        tell("Input.insertText", "{\"text\":" + quoted(text) + "}");
    }

    /** The processor time that the tab's main thread has taken so far, in milliseconds. */
    double processorMillis() throws Exception {
        for (JsonElement metric : tell("Performance.getMetrics", "{}").getAsJsonArray("metrics")) {
            if (metric.getAsJsonObject().get("name").getAsString().equals("ThreadTime")) {
                return metric.getAsJsonObject().get("value").getAsDouble() * 1000;
            }
        }
        throw new IOException("this browser does not tell the ThreadTime");
    }

    /** A picture of the tab. */
    void picture(Path file) throws Exception {
        JsonObject picture = tell("Page.captureScreenshot", "{\"format\":\"png\"}");
        Files.write(file, Base64.getDecoder().decode(picture.get("data").getAsString()));
    }

    /** Everything that its console shows: errors, warnings and others. */
    List<String> complaints() {
        return List.copyOf(complaints);
    }

    /** The addresses of all its requests. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    private static String quoted(String text) {
        JsonArray array = new JsonArray();
        array.add(text);
        String quoted = array.toString();
        return quoted.substring(1, quoted.length() - 1);
    }

    /** Closes the browser, with all tabs. */
    void closeAll() throws Exception {
        tell("Browser.close", "{}");
    }
}
