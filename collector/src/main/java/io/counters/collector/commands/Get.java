package io.counters.collector.commands;

import com.google.gson.stream.JsonWriter;
import io.counters.collector.common.Glob;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code get NAME...}: prints values. */
@Command(
        name = "get",
        mixinStandardHelpOptions = true,
        description = {
            "Prints the values of counters of a running collector, as NAME VALUE.",
            "The exit status is 1 if one of them does not exist."
        })
public final class Get implements Callable<Integer> {
    @Mixin
    private CollectorAddress at = new CollectorAddress();

    @Option(names = "--json", description = "prints JSON: {\"counters\": [{\"name\": ..., \"value\": ...}]}")
    private boolean json;

    @Parameters(
            paramLabel = "NAME",
            arity = "1..*",
            description = "a counter, or a pattern with * for any characters and ? for one; write it in quotes")
    private List<String> names = List.of();

    private final Shell shell;

    public Get(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        CollectorApi api = at.api();
        List<CollectorApi.Counter> found = new ArrayList<>();
        boolean isComplete = true;
        for (String name : names) {
            try {
                found.addAll(read(api, name));
            } catch (CollectorApi.UnknownCounter unknown) {
                isComplete = false;
                shell.err().println("counters get: " + unknown.getMessage());
            }
        }
        if (json) {
            shell.out().println(json(found));
        } else {
            found.forEach(counter -> shell.out().println(counter.name() + " " + counter.value()));
        }
        return isComplete ? 0 : 1;
    }

    private static List<CollectorApi.Counter> read(CollectorApi api, String name) throws IOException {
        if (!Glob.isOne(name)) {
            return List.of(api.counter(name));
        }
        Glob glob = new Glob(name);
        List<CollectorApi.Counter> matching = api.counters(glob.prefix(), "", Integer.MAX_VALUE).list().stream()
                .filter(counter -> glob.matches(counter.name()))
                .toList();
        if (matching.isEmpty()) {
            throw new CollectorApi.UnknownCounter("no counter matches " + Escaped.text(name));
        }
        return matching;
    }

    private static String json(List<CollectorApi.Counter> found) throws IOException {
        StringWriter text = new StringWriter();
        JsonWriter writer = new JsonWriter(text);
        writer.beginObject().name("counters").beginArray();
        for (CollectorApi.Counter counter : found) {
            writer.beginObject().name("name").value(counter.name());
            writer.name("value").value(counter.value()).endObject();
        }
        writer.endArray().endObject();
        return text.toString();
    }
}
