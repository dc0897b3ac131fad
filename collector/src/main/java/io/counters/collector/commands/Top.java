package io.counters.collector.commands;

import com.google.gson.stream.JsonWriter;
import io.counters.collector.common.Glob;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code top}: a live table of counters. */
@Command(
        name = "top",
        mixinStandardHelpOptions = true,
        description = {
            "Shows the counters of a running collector in a table that is updated once a second.",
            "Keys: q quits; n, v and r sort by name, value and rate; / filters; arrows and Page Up, Page Down scroll.",
            "Without a terminal it prints the first --rows every second."
        })
public final class Top implements Callable<Integer> {
    /** The maximum number of counters that are read each second. */
    private static final int COUNTERS_MAX = 100_000;

    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Reading a long list takes at most one part in this many of the time, because the collector has other work, too. */
    private static final int BUSY_PART = 5;

    private static final int PLAIN_NAME_COLUMNS = 50;

    @Mixin
    private CollectorAddress at = new CollectorAddress();

    @Option(
            names = "--sort",
            paramLabel = "COLUMN",
            description = "sorts by name, value or rate at the start (default ${DEFAULT-VALUE})")
    private TopTable.Sort sort = TopTable.Sort.RATE;

    @Option(
            names = "--rows",
            paramLabel = "N",
            description = "how many counters are printed without a terminal, or as JSON (default ${DEFAULT-VALUE})")
    private int rows = 20;

    @Option(names = "--once", description = "prints the table once, after a second, and ends")
    private boolean once;

    @Option(names = "--json", description = "prints a line of JSON each second")
    private boolean json;

    @Parameters(
            paramLabel = "PATTERN",
            arity = "0..1",
            defaultValue = "",
            description = "only names that contain this text, or that match it if it has * (any characters) or ? (one)")
    private String pattern = "";

    @Spec
    private @Nullable CommandSpec spec;

    private final Shell shell;
    private final Rates rates = new Rates();
    private boolean hasMore;

    public Top(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (rows < 1) {
            throw new CommandLine.ParameterException(
                    Objects.requireNonNull(spec).commandLine(), "--rows is " + rows + "; it must be at least 1");
        }
        CollectorApi api = at.api();
        // So that a collector that does not answer is an error, and not an empty table.
        List<Rates.Row> first = read(api, pattern);
        Terminal terminal = once || json ? null : Terminal.open(shell);
        if (terminal == null) {
            printAgainAndAgain(api);
        } else {
            try (terminal) {
                show(api, terminal, first);
            }
        }
        return 0;
    }

    private List<Rates.Row> read(CollectorApi api, String filter) throws IOException {
        Glob glob = new Glob(filter);
        boolean isGlob = Glob.isOne(filter);
        CollectorApi.Counters counters = api.counters(isGlob ? glob.prefix() : "", isGlob ? "" : filter, COUNTERS_MAX);
        hasMore = counters.hasMore();
        return rates.add(
                counters.list().stream()
                        .filter(counter -> glob.matches(counter.name()))
                        .toList(),
                shell.nanoClock().getAsLong());
    }

    private void printAgainAndAgain(CollectorApi api) throws IOException {
        TopTable table = new TopTable(sort, pattern);
        do {
            pause(PAUSE_NANOS);
            List<Rates.Row> all = table.sorted(read(api, pattern));
            List<Rates.Row> shown = all.subList(0, Math.min(rows, all.size()));
            if (json) {
                shell.out().println(json(shown));
            } else {
                shell.out().println(TopTable.row("NAME", "VALUE", "PER SECOND", PLAIN_NAME_COLUMNS));
                shown.forEach(row -> shell.out()
                        .println(TopTable.row(
                                row.name(),
                                Long.toString(row.value()),
                                TopTable.rate(row.rate()),
                                PLAIN_NAME_COLUMNS)));
                shell.out().println(once ? "" : "\n");
            }
        } while (!once && !shell.out().checkError());
    }

    private static String json(List<Rates.Row> shown) throws IOException {
        StringWriter text = new StringWriter();
        JsonWriter writer = new JsonWriter(text);
        writer.beginObject().name("counters").beginArray();
        for (Rates.Row row : shown) {
            writer.beginObject().name("name").value(row.name());
            writer.name("value").value(row.value());
            writer.name("rate").value(row.rate().orElse(0)).endObject();
        }
        writer.endArray().endObject();
        return text.toString();
    }

    private void show(CollectorApi api, Terminal terminal, List<Rates.Row> first) throws IOException {
        TopTable table = new TopTable(sort, pattern);
        List<Rates.Row> shown = first;
        String note = "";
        Terminal.Size size = terminal.size();
        long due = shell.nanoClock().getAsLong() + PAUSE_NANOS;
        while (true) {
            terminal.show(colored(table.lines(shown, title(shown), note, size.columns(), size.lines())));
            long begin = shell.nanoClock().getAsLong();
            String key = terminal.key();
            long now = shell.nanoClock().getAsLong();
            String filter = table.filter();
            if (key != null && !table.key(key, size.lines() / 2)) {
                return;
            }
            if (now - due >= 0 || !filter.equals(table.filter())) {
                size = terminal.size();
                try {
                    shown = read(api, table.filter());
                    note = hasMore ? "only the first " + COUNTERS_MAX + " by name; filter them with /" : "";
                } catch (IOException unreachable) {
                    note = String.valueOf(unreachable.getMessage());
                }
                long took = shell.nanoClock().getAsLong() - now;
                due = now + Math.max(PAUSE_NANOS, took * BUSY_PART);
            } else if (key == null && now - begin < PAUSE_NANOS / 100) {
                // The terminal is gone, or reading a key does not wait.
                pause(PAUSE_NANOS / 10);
            }
        }
    }

    private String title(List<Rates.Row> shown) {
        return String.format(
                Locale.ROOT, "counters top: %,d %s", shown.size(), shown.size() == 1 ? "counter" : "counters");
    }

    private List<String> colored(List<String> lines) {
        List<String> colored = new ArrayList<>(lines);
        colored.set(2, shell.in(Shell.Color.REVERSE, lines.get(2)));
        return colored;
    }

    private void pause(long nanos) throws IOException {
        long end = shell.nanoClock().getAsLong() + nanos;
        for (long left = nanos; left > 0; left = end - shell.nanoClock().getAsLong()) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                throw new IOException("interrupted");
            }
        }
    }
}
