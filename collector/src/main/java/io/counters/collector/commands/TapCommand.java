package io.counters.collector.commands;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tap [PATTERN]}: prints what a collector receives. */
@Command(
        name = "tap",
        mixinStandardHelpOptions = true,
        description = {
            "Prints the lines that a running collector receives, as it receives them, until Ctrl-C: for each its time,"
                    + " sender, amount and name; for a line with a total also the total, the stream and the datagram's"
                    + " number; for a rejected line the reason.",
            "If there are more than --lines a second, the others are left out, and their number is printed."
        })
public final class TapCommand implements Callable<Integer> {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS", Locale.ROOT).withZone(ZoneId.systemDefault());
    private static final int STREAM_CHARS = 8;
    private static final int LINES_MAX = 10_000;

    @Mixin
    private CollectorAddress at = new CollectorAddress();

    @Option(
            names = "--lines",
            paramLabel = "N",
            description = "maximum number of lines per second, 1 to 10000 (default ${DEFAULT-VALUE})")
    private int lines = 500;

    @Option(names = "--count", paramLabel = "N", description = "ends after this many lines")
    private long count = Long.MAX_VALUE;

    @Option(names = "--seconds", paramLabel = "N", description = "ends after this time")
    private int seconds = Integer.MAX_VALUE;

    @Option(names = "--json", description = "prints each line as JSON")
    private boolean json;

    @Parameters(
            paramLabel = "PATTERN",
            arity = "0..1",
            defaultValue = "",
            description = "only names, and rejected lines, that contain this text, or that match it if it has * (any"
                    + " characters) or ? (one); write it in quotes")
    private String pattern = "";

    @Spec
    private @Nullable CommandSpec spec;

    private final Shell shell;

    public TapCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (lines < 1 || lines > LINES_MAX || count < 1 || seconds < 1) {
            throw new CommandLine.ParameterException(
                    Objects.requireNonNull(spec).commandLine(),
                    "--lines must be from 1 to " + LINES_MAX + ", and --count and --seconds at least 1");
        }
        String match = pattern.isEmpty() ? "" : "&match=" + CollectorApi.encoded(pattern);
        at.api().events("/api/tap?lines=" + lines + match, Duration.ofSeconds(seconds), event -> {
            switch (event.type()) {
                case "line" -> {
                    shell.out().println(json ? event.data() : text(event.data()));
                    count--;
                }
                case "left_out" -> shell.err().println("counters tap: " + leftOut(event.data()));
                case "open" -> shell.err().println("counters tap: shows what arrives from now on; Ctrl-C ends it");
                default -> {
                    // A newer collector may send more.
                }
            }
            return count > 0 && !shell.out().checkError();
        });
        return 0;
    }

    private String text(String data) {
        JsonObject line = JsonParser.parseString(data).getAsJsonObject();
        StringBuilder text = new StringBuilder(
                TIME.format(Instant.ofEpochMilli(line.get("at").getAsLong())));
        text.append(' ').append(Escaped.text(string(line, "protocol")));
        text.append(' ').append(Escaped.text(string(line, "from"))).append("  ");
        if (line.has("rejected")) {
            String rejected = "rejected (" + string(line, "rejected") + ") \"" + string(line, "line") + '"';
            return text + shell.in(Shell.Color.RED, Escaped.text(rejected));
        }
        String amount = string(line, "amount");
        text.append(amount.startsWith("-") ? "" : "+").append(amount);
        text.append(' ').append(Escaped.text(string(line, "name")));
        if (line.has("total")) {
            text.append("  total ").append(string(line, "total"));
        }
        if (line.has("sender")) {
            String sender = string(line, "sender");
            text.append("  stream ")
                    .append(Escaped.text(sender.substring(0, Math.min(STREAM_CHARS, sender.length()))))
                    .append(" #")
                    .append(string(line, "seq"));
        }
        return text.toString();
    }

    private static String string(JsonObject line, String name) {
        JsonElement value = line.get(name);
        return value == null ? "" : value.getAsString();
    }

    private static String leftOut(String data) {
        JsonObject left = JsonParser.parseString(data).getAsJsonObject();
        long shown = left.get("shown").getAsLong();
        long matching = left.get("matching").getAsLong();
        long missed = left.get("datagrams_not_read").getAsLong();
        return String.format(
                Locale.ROOT,
                "%,d of %,d lines shown%s; give a narrower PATTERN, or more --lines",
                shown,
                matching,
                missed == 0 ? "" : String.format(Locale.ROOT, ", and %,d datagrams not looked at", missed));
    }
}
