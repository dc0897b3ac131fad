package io.counters.collector.commands;

import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rm NAME...}: removes counters. */
@Command(
        name = "rm",
        mixinStandardHelpOptions = true,
        description = {
            "Removes counters of a running collector: the value becomes 0, in the store too, and the counter is in no"
                    + " list and no tick until it is counted again. It then starts at 0.",
            "Watermarks stay, so totals that senders repeat are not counted again.",
            "The exit status is 1 if one of the counters does not exist."
        })
public final class Remove implements Callable<Integer> {
    @Mixin
    private CollectorAddress at = new CollectorAddress();

    @Option(
            names = {"-y", "--yes"},
            description = "removes without asking, as is always done without a terminal")
    private boolean yes;

    @Option(names = "--json", description = "prints a line of JSON for each counter")
    private boolean json;

    @Parameters(
            paramLabel = "NAME",
            arity = "1..*",
            description = "a counter's full name, with its tags; patterns are not allowed")
    private List<String> names = List.of();

    private final Shell shell;

    public Remove(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        CollectorApi api = at.api();
        BufferedReader answers = new BufferedReader(new InputStreamReader(shell.in(), Charset.defaultCharset()));
        boolean isComplete = true;
        for (String name : names) {
            try {
                if (yes || !shell.isTerminal() || isConfirmed(api.counter(name), answers)) {
                    say(api.remove(name).getAsJsonObject());
                } else {
                    shell.err().println("counters rm: " + Escaped.text(name) + " is not removed");
                }
            } catch (CollectorApi.UnknownCounter unknown) {
                isComplete = false;
                shell.err().println("counters rm: " + unknown.getMessage());
            }
        }
        return isComplete ? 0 : 1;
    }

    private boolean isConfirmed(CollectorApi.Counter counter, BufferedReader answers) throws IOException {
        shell.err().print("remove " + counter.name() + ", whose value is " + counter.value() + "? [y/N] ");
        shell.err().flush();
        String answer = answers.readLine();
        return answer != null && answer.strip().toLowerCase(Locale.ROOT).matches("y|yes");
    }

    private void say(JsonObject removed) {
        if (json) {
            shell.out().println(removed);
            return;
        }
        int watermarks = removed.get("watermarks").getAsInt();
        shell.out()
                .println("removed " + removed.get("name").getAsString() + ": its value was "
                        + removed.get("value").getAsLong() + " and is now 0"
                        + (removed.get("pushed").getAsBoolean() ? ", in the store too" : "")
                        + "; watermarks that stay: " + watermarks);
    }
}
