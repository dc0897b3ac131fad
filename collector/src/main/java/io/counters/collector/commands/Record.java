package io.counters.collector.commands;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.counters.collector.common.DiskFault;
import io.counters.collector.common.LogStream;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code record FILE}: writes what a collector receives to a file. */
@Command(
        name = "record",
        mixinStandardHelpOptions = true,
        description = {
            "Writes the datagrams that a running collector receives over UDP and its Unix socket to a new file, with their"
                    + " times, until --seconds, --bytes or Ctrl-C. 'replay' sends them again.",
            "TCP is not recorded. Datagrams that arrive faster than they can be written are left out, and their number is"
                    + " printed."
        })
@SuppressWarnings("AvoidCommonTypeNames") // Named as its command, like all classes here.
public final class Record implements Callable<Integer> {
    private static final Pattern BYTES = Pattern.compile("(\\d{1,4})([kmg])");
    private static final long LAST_LINES_MILLIS = 1_000;
    private static final long SAID_NANOS = TimeUnit.SECONDS.toNanos(3);

    @Mixin
    private CollectorAddress at = new CollectorAddress();

    @Option(names = "--seconds", paramLabel = "N", description = "ends after this time (default ${DEFAULT-VALUE})")
    private int seconds = 60;

    @Option(
            names = "--bytes",
            paramLabel = "N",
            description = "ends when the file reaches this size: a whole number followed by k, m or g"
                    + " (default ${DEFAULT-VALUE})")
    private String bytes = "100m";

    @Parameters(paramLabel = "FILE", description = "must not exist yet")
    private @Nullable Path file;

    @Spec
    private @Nullable CommandSpec spec;

    private final Shell shell;
    private long datagrams;
    private long missed;
    private long tooLong;
    private long tcp;
    private boolean isClosed;

    public Record(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        long bytesMax = bytesMax();
        if (file == null || seconds < 1) {
            throw new CommandLine.ParameterException(line(), "give a FILE, and --seconds of at least 1");
        }
        CollectorApi api = at.api();
        Recording.Writer writer;
        try {
            writer = new Recording.Writer(file);
        } catch (FileAlreadyExistsException exists) {
            throw new IOException(file + " exists already; give another file, or delete it", exists);
        } catch (IOException cannot) {
            throw new IOException(file + " cannot be created: " + DiskFault.text(cannot), cannot);
        }
        Thread end = shell.endings().newThread(() -> {
            close(writer);
            LogStream.drain(LAST_LINES_MILLIS);
        });
        Runtime.getRuntime().addShutdownHook(end);
        try {
            long[] said = {shell.nanoClock().getAsLong()};
            api.events("/api/tap/datagrams", Duration.ofSeconds(seconds), event -> {
                long now = shell.nanoClock().getAsLong();
                synchronized (this) {
                    if (!isClosed) {
                        take(event, writer);
                    }
                }
                if (now - said[0] >= SAID_NANOS) {
                    said[0] = now;
                    shell.err()
                            .println(String.format(
                                    Locale.ROOT,
                                    "counters record: %,d datagrams, %,d bytes",
                                    datagrams,
                                    writer.bytes()));
                }
                return writer.bytes() < bytesMax;
            });
        } finally {
            close(writer);
        }
        return 0;
    }

    private void take(CollectorApi.Event event, Recording.Writer writer) throws IOException {
        JsonObject data = JsonParser.parseString(event.data()).getAsJsonObject();
        switch (event.type()) {
            case "datagram" -> {
                byte[] datagram = Base64.getDecoder().decode(data.get("bytes").getAsString());
                if (datagram.length > Recording.DATAGRAM_BYTES_MAX) {
                    // From the Unix socket; no datagram over UDP could be so long.
                    tooLong++;
                } else {
                    writer.write(data.get("at").getAsLong(), datagram);
                    datagrams++;
                }
            }
            case "left_out" -> {
                missed += data.get("missed").getAsLong();
                tcp += data.get("tcp").getAsLong();
            }
            case "open" ->
                shell.err()
                        .println("counters record: records for " + seconds
                                + " s what the collector receives; Ctrl-C ends it");
            default -> {
                // A newer collector may send more.
            }
        }
    }

    private synchronized void close(Recording.Writer writer) {
        if (isClosed) {
            return;
        }
        isClosed = true;
        try {
            writer.close();
            shell.err()
                    .println(String.format(
                            Locale.ROOT,
                            "counters record: %s has %,d datagrams, %,d bytes%s%s%s",
                            file,
                            datagrams,
                            writer.bytes(),
                            missed == 0 ? "" : String.format(Locale.ROOT, "; %,d could not be written in time", missed),
                            tooLong == 0
                                    ? ""
                                    : String.format(
                                            Locale.ROOT,
                                            "; %,d of more than %,d bytes are not in it, because UDP cannot carry them",
                                            tooLong,
                                            Recording.DATAGRAM_BYTES_MAX),
                            tcp == 0 ? "" : "; what arrived over TCP is not in it"));
        } catch (IOException full) {
            shell.err().println("counters record: " + file + " could not be completed: " + DiskFault.text(full));
        }
    }

    private long bytesMax() {
        Matcher matcher = BYTES.matcher(bytes);
        if (!matcher.matches()) {
            throw new CommandLine.ParameterException(
                    line(), "--bytes is '" + bytes + "'; write a whole number followed by k, m or g, such as 100m");
        }
        int shift = switch (matcher.group(2)) {
            case "k" -> 10;
            case "m" -> 20;
            default -> 30;
        };
        return Long.parseLong(matcher.group(1)) << shift;
    }

    private CommandLine line() {
        return Objects.requireNonNull(spec).commandLine();
    }
}
