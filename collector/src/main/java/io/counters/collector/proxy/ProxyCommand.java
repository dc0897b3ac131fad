package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.settings.SettingsException;
import io.counters.wire.NameReader;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code java -jar collector.jar proxy}: starts the proxy, checks its files, or shows which server owns a key. */
@Command(
        name = "proxy",
        mixinStandardHelpOptions = true,
        description =
                "Distributes the messages of StatsD and statsite clients, and increment NAME, over several servers."
                        + " Each key always goes to the same server.")
public final class ProxyCommand implements Callable<Integer> {
    private static final Pattern COMMAND = Pattern.compile("(?:in|de)crement (\\S+)(?: .*)?");
    private static final String COUNTER = ":1|c";

    /** Starts the proxy. */
    @FunctionalInterface
    public interface Start {
        /**
         * Starts a proxy with these settings and returns.
         *
         * @throws IOException when a port cannot be opened
         */
        void with(ProxyIni settings) throws IOException;
    }

    @Option(names = "-f", paramLabel = "FILE", description = "statsite-proxy's INI file")
    private @Nullable Path file;

    @Option(names = "--check", description = "prints the errors in FILE and in its list of servers, and exits")
    private boolean check;

    @Spec
    private @Nullable CommandSpec spec;

    private final long heapBytes;
    private final InputStream in;
    private final PrintStream out;
    private final PrintStream err;
    private final Start start;

    private ProxyCommand(long heapBytes, InputStream in, PrintStream out, PrintStream err, Start start) {
        this.heapBytes = heapBytes;
        this.in = in;
        this.out = out;
        this.err = err;
        this.start = start;
    }

    /**
     * Makes the command line, ready to execute.
     *
     * @param heapBytes this JVM's maximum heap
     * @param in the keys for {@code ring diff}, one a line
     */
    public static CommandLine line(long heapBytes, InputStream in, PrintStream out, PrintStream err, Start start) {
        ProxyCommand proxy = new ProxyCommand(heapBytes, in, out, err, start);
        return new CommandLine(proxy)
                .addSubcommand(
                        "ring", new CommandLine(proxy.new Rings()).addSubcommand("diff", proxy.new Difference()));
    }

    @Override
    public Integer call() throws SettingsException, IOException {
        if (file == null) {
            throw new CommandLine.ParameterException(
                    Objects.requireNonNull(spec).commandLine(), "give statsite-proxy's INI file as -f FILE");
        }
        ProxyIni settings = ProxyIni.read(file, heapBytes);
        settings.remarks().forEach(remark -> err.println("counters proxy: " + remark));
        if (check) {
            out.println(file + " and " + settings.servers() + " have no errors; servers: "
                    + settings.list().size());
            return 0;
        }
        start.with(settings);
        return 0;
    }

    private Ring ring(Path servers, String dropTags) throws SettingsException {
        ServersFile.Read read = ServersFile.read(servers);
        read.remarks().forEach(remark -> err.println("counters proxy: " + remark));
        try {
            return new Ring(read.servers(), ProxyIni.dropTags(dropTags));
        } catch (IllegalArgumentException wrong) {
            throw new SettingsException(List.of("--drop-tags is " + dropTags + ", " + wrong.getMessage()));
        }
    }

    /** The owner of a key, which is hashed like a counter's, or of a whole line. */
    private static Server owner(Ring ring, String key) {
        Matcher command = COMMAND.matcher(key);
        if (command.matches()) {
            NameReader names = new NameReader();
            String name = names.read(command.group(1)) == null ? names.name() : command.group(1);
            byte[] bytes = name.getBytes(UTF_8);
            return ring.servers().get(ring.owner(bytes, 0, bytes.length));
        }
        int colon = key.indexOf(':');
        boolean isLine = colon > 0 && key.indexOf('|', colon) > colon + 1;
        byte[] line = ((isLine ? key : key + COUNTER) + "\n").getBytes(UTF_8);
        int keyEnd = isLine ? key.substring(0, colon).getBytes(UTF_8).length : line.length - 1 - COUNTER.length();
        return ring.servers().get(ring.owner(line, 0, line.length, 0, keyEnd));
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }

    @Command(
            name = "ring",
            mixinStandardHelpOptions = true,
            description = "Prints each server's share of all keys, and the server that owns each KEY.")
    private final class Rings implements Callable<Integer> {
        @Option(names = "-f", paramLabel = "SERVERS", description = "servers.conf")
        private @Nullable Path servers;

        @Option(
                names = "--drop-tags",
                paramLabel = "KEYS",
                defaultValue = "",
                description = "keys of tags, separated by commas; the same as drop_tags in the proxy's INI file")
        private String dropTags = "";

        @Parameters(paramLabel = "KEY", arity = "0..*", description = "a key, a StatsD line, or increment NAME")
        private String[] keys = {};

        @Override
        public Integer call() throws SettingsException {
            if (servers == null) {
                throw new SettingsException(List.of("give servers.conf as ring -f SERVERS"));
            }
            Ring ring = ring(servers, dropTags);
            double[] shares = ring.shares();
            for (int i = 0; i < shares.length; i++) {
                out.println(ring.servers().get(i) + "\t" + percent(shares[i]));
            }
            NameReader names = new NameReader();
            for (String key : keys) {
                out.println(key + "\t" + owner(ring, key));
                if (names.read(key) == null && !names.name().equals(key)) {
                    out.println(names.name() + "\t" + owner(ring, names.name()) + "\t(the name that increment sends)");
                }
            }
            return 0;
        }
    }

    @Command(
            name = "diff",
            mixinStandardHelpOptions = true,
            description =
                    "Prints the share of all keys that moves from the OLD list of servers to the NEW one, and which of the"
                            + " keys on stdin move.")
    private final class Difference implements Callable<Integer> {
        @Parameters(paramLabel = "OLD NEW", arity = "2", description = "two files in the format of servers.conf")
        private Path[] lists = {};

        @Override
        public Integer call() throws SettingsException, IOException {
            Ring before = ring(lists[0], "");
            Ring after = ring(lists[1], "");
            out.println(percent(before.moved(after)) + " of all keys move");
            BufferedReader keys = new BufferedReader(new InputStreamReader(in, UTF_8));
            for (String key = keys.readLine(); key != null; key = keys.readLine()) {
                if (!key.isEmpty()
                        && !owner(before, key)
                                .address()
                                .equals(owner(after, key).address())) {
                    out.println(key + "\t" + owner(before, key) + "\t" + owner(after, key));
                }
            }
            return 0;
        }
    }
}
