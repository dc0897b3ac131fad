package io.counters.agent;

import io.counters.agent.settings.Settings;
import io.counters.agent.weave.Rules;
import io.counters.agent.weave.Weaving;
import io.counters.wire.NameTemplates;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * {@code java -jar counters.jar list APP [key=value...]}: prints what the agent would count in an application, without
 * running it. It uses the code that instruments classes, so both always agree.
 */
final class ListCommand {
    private static final String USAGE = "usage: java -jar counters.jar list APP [key=value...]\n"
            + "APP is a jar, a war or a folder. The settings are those of the agent, and are read from the same places";
    private static final int FINE = 0;
    private static final int FLAWED = 1;
    private static final int MISUSED = 2;

    private ListCommand() {}

    /**
     * Prints a line {@code pkg.Class#method(types) = name moment} to {@code out} for each counter of each method. Prints
     * to {@code err} each mark that will not work, and each name that is changed because it breaks a rule.
     *
     * @param args the application's file or folder, then settings
     * @return 0 if everything that is marked will count, 1 if something will not, 2 if there are no arguments, or no
     *     application can be read
     */
    static int run(String[] args, PrintStream out, PrintStream err) {
        if (args.length == 0) {
            err.println(USAGE);
            return MISUSED;
        }
        Faults faults = new Faults(err);
        String settings = String.join(",", Arrays.asList(args).subList(1, args.length));
        try {
            Path app = Paths.get(args[0]).toRealPath();
            AppFiles files = AppFiles.read(app, faults);
            if (files.classes().isEmpty()) {
                throw new IOException("it contains no class");
            }
            return list(app, files, Settings.read(settings, System.getProperties(), System.getenv()), out, faults)
                    ? FINE
                    : FLAWED;
        } catch (IOException | InvalidPathException unreadable) {
            err.println(args[0] + " cannot be listed: " + unreadable + "\n" + USAGE);
            return MISUSED;
        }
    }

    private static boolean list(Path app, AppFiles files, Settings settings, PrintStream out, Faults faults) {
        settings.complaints().forEach(faults);
        if (!settings.enabled()) {
            faults.accept("these settings switch the agent off: nothing will be counted");
        }
        Rules rules = Rules.read(settings, faults);
        boolean clear = faults.said.isEmpty();
        NameTemplates names = new NameTemplates(
                NameTemplates.host(System.getenv()),
                Agent.app(settings.app(), String.valueOf(app.getFileName())),
                settings.tags(),
                faults);
        Weaving weaving = new Weaving(rules, names, () -> false, name -> 0, faults);
        for (Map.Entry<String, byte[]> each : files.classes().entrySet()) {
            weaving.list(files, each.getKey(), each.getValue()).forEach(out::println);
        }
        for (String missing : rules.unseen()) {
            // Rules may name classes of the JDK.
            try (InputStream in = ClassLoader.getSystemResourceAsStream(missing + ".class")) {
                if (in != null) {
                    weaving.list(null, missing, Agent.all(in)).forEach(out::println);
                }
            } catch (IOException unreadable) {
                faults.accept(missing + ".class cannot be read: " + unreadable);
            }
        }
        List<String> idle = rules.idle();
        for (String rule : idle) {
            faults.accept("rule \"" + rule + "\" matches nothing in " + app
                    + "; write a nested class as Outer$Nested, and begin a rule with + to include subtypes");
        }
        out.flush();
        return clear && idle.isEmpty() && weaving.refused() == 0;
    }

    /** Prints each line once. */
    private static final class Faults implements Consumer<String> {
        private final Set<String> said = new HashSet<>();
        private final PrintStream err;

        Faults(PrintStream err) {
            this.err = err;
        }

        @Override
        public void accept(String line) {
            if (said.add(line)) {
                err.println(line);
            }
        }
    }
}
