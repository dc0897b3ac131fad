package io.counters.agent;

import io.counters.agent.BuildOutput.ClassFile;
import io.counters.agent.settings.Settings;
import io.counters.agent.weave.Rules;
import io.counters.agent.weave.Weaving;
import io.counters.wire.NameTemplates;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code java -jar counters.jar weave CLASSES [--class-path PATH] [--run-path PATH] [key=value...]}: inserts the counting
 * calls into the class files of a build, so that they count without the agent. It uses the code that instruments classes
 * in a JVM.
 *
 * <p>The settings come from the command line and from the file that it names, and from nowhere else, so that a build gives
 * the same result wherever it runs.
 */
final class WeaveCommand {
    private static final String USAGE =
            "usage: java -jar counters.jar weave CLASSES [--class-path PATH] [--run-path PATH] [key=value...]\n"
                    + "CLASSES is the folder into which a compiler wrote class files. --class-path is the class path of these\n"
                    + "classes, --run-path that of the program, if they differ.\n"
                    + "The settings are those of the agent that say what counts";
    private static final String CLASS_PATH = "--class-path";
    private static final String RUN_PATH = "--run-path";
    private static final String WOVEN = "io/counters/Woven.class";
    private static final int FINE = 0;
    private static final int FLAWED = 1;
    private static final int MISUSED = 2;

    private final PrintStream out;
    private final PrintStream err;

    private WeaveCommand(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /**
     * Prints to {@code err} each mark that will not work, and to {@code out} how many methods count.
     *
     * @return 0 if everything that is marked counts; 1 if something does not, or a setting is wrong, which changes no file;
     *     2 if the arguments are wrong, or a file cannot be read or written
     */
    static int run(String[] args, PrintStream out, PrintStream err) {
        List<String> rest = new ArrayList<>(Arrays.asList(args));
        String classPath = option(rest, CLASS_PATH, "");
        String runPath = option(rest, RUN_PATH, classPath);
        if (rest.isEmpty() || rest.get(0).startsWith("-") || rest.contains(CLASS_PATH) || rest.contains(RUN_PATH)) {
            err.println(USAGE);
            return MISUSED;
        }
        try {
            Path folder = Paths.get(rest.get(0)).toRealPath();
            if (!Files.isDirectory(folder)) {
                throw new IOException("it is not a folder");
            }
            Settings settings = Settings.read(
                    String.join(",", rest.subList(1, rest.size())),
                    new Properties(),
                    Collections.<String, String>emptyMap());
            return new WeaveCommand(out, err).weave(folder, urls(classPath), urls(runPath), settings);
        } catch (IOException | InvalidPathException unreadable) {
            err.println(rest.get(0) + " cannot be woven: " + unreadable + "\n" + USAGE);
            return MISUSED;
        }
    }

    /** Removes an option with its value, and returns the value. */
    private static String option(List<String> arguments, String option, String otherwise) {
        int at = arguments.indexOf(option);
        if (at <= 0 || at + 1 >= arguments.size()) {
            return otherwise;
        }
        arguments.remove(at);
        return arguments.remove(at);
    }

    private static URL[] urls(String classPath) throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        for (String part : classPath.split(File.pathSeparator, -1)) {
            if (!part.isEmpty()) {
                urls.add(Paths.get(part).toUri().toURL());
            }
        }
        return urls.toArray(new URL[0]);
    }

    private int weave(Path folder, URL[] classPath, URL[] runPath, Settings settings) throws IOException {
        Set<String> faults = new LinkedHashSet<>(settings.complaints());
        Rules rules = Rules.read(settings, faults::add);
        if (settings.tags().contains("{host}")) {
            faults.add("tags contains {host}, which a build does not know; leave it out");
        }
        try (BuildOutput output = BuildOutput.read(folder, classPath, faults::add)) {
            Set<String> messages = new LinkedHashSet<>();
            NameTemplates names = new NameTemplates(
                    Weaving.UNKNOWN,
                    settings.app().isEmpty() ? Weaving.UNKNOWN : settings.app(),
                    settings.tags(),
                    messages::add);
            Weaving weaving = new Weaving(rules, names, () -> false, name -> 0, messages::add);
            Map<ClassFile, byte @Nullable []> woven = new LinkedHashMap<>();
            boolean any = false;
            for (ClassFile file : output.files()) {
                output.begin(file);
                byte[] written = settings.isSwitchedOff() ? null : weaving.forBuild(output, file.name, file.original);
                woven.put(file, written);
                any |= written != null;
            }
            if (any) {
                requireApi(folder, runPath, output, faults);
            }
            messages.forEach(err::println);
            faults.forEach(err::println);
            if (!faults.isEmpty()) {
                err.println("nothing was woven");
                return FLAWED;
            }
            write(output, woven, weaving);
            return weaving.refused() == 0 ? FINE : FLAWED;
        }
    }

    /** Without the API, each method that counts would throw a NoClassDefFoundError into the program. */
    private static void requireApi(Path folder, URL[] runPath, BuildOutput output, Set<String> faults)
            throws IOException {
        if (Files.isRegularFile(folder.resolve(WOVEN))) {
            return;
        }
        try (URLClassLoader running = new URLClassLoader(runPath, null)) {
            if (running.getResource(WOVEN) == null) {
                faults.add(
                        "the class path at run time does not contain io.counters.Woven, which woven classes call; add"
                                + " the dependency io.counters:counters-core of the release that weaves, with scope compile or"
                                + " runtime");
            }
        }
        for (Path module : output.modulesWithoutApi()) {
            faults.add(module + ": woven classes call io.counters.Woven, which this module does not read; add requires"
                    + " counters.core, not static, to module-info.java");
        }
    }

    private void write(BuildOutput output, Map<ClassFile, byte @Nullable []> woven, Weaving weaving)
            throws IOException {
        int written = 0;
        for (Map.Entry<ClassFile, byte @Nullable []> file : woven.entrySet()) {
            written += output.put(file.getKey(), file.getValue()) ? 1 : 0;
        }
        output.deleteOtherOriginals();
        out.println(weaving.summaryForBuild(written));
        out.flush();
    }
}
