package io.counters.agent;

import io.counters.agent.settings.Settings;
import io.counters.agent.weave.Names;
import io.counters.agent.weave.Rules;
import io.counters.agent.weave.Weaving;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Assembles the agent; entered once in a JVM, by {@link Premain}. */
public final class Agent {
    private static final String PRESENT = "io.counters.agent";

    private Agent() {}

    /**
     * Starts what the settings ask for.
     *
     * @param attached whether classes of the application are loaded already
     * @return what {@code strict=true} wants thrown; null when all is well, or nobody wants to know
     */
    public static @Nullable Throwable start(
            @Nullable String arguments, Instrumentation instrumentation, boolean attached) {
        String command = System.getProperty("sun.java.command", "");
        if (isTool(command)) {
            return null;
        }
        Log log = new Log();
        Settings settings = Settings.read(arguments, System.getProperties(), System.getenv());
        try {
            if (settings.log() != null) {
                log.to(settings.log());
            }
            settings.complaints().forEach(log);
            if (settings.debug()) {
                settings.effective().forEach(log);
            }
            start(settings, log, command, instrumentation, attached);
            return settings.strict() && !settings.complaints().isEmpty()
                    ? new IllegalArgumentException(settings.complaints().get(0))
                    : null;
        } catch (Throwable fault) {
            log.accept("the agent did not start, the application goes on without it: " + fault);
            return settings.strict() ? fault : null;
        }
    }

    private static void start(
            Settings settings, Log log, String command, Instrumentation instrumentation, boolean attached)
            throws IOException {
        String version = version();
        if (!settings.enabled()) {
            log.accept("agent " + version + " is switched off; nothing is installed");
            return;
        }
        String present = System.getProperty(PRESENT);
        if (present != null) {
            log.accept("agent " + version + " is not started: agent " + present + " is in this JVM already");
            return;
        }
        System.setProperty(PRESENT, version);
        Counting counting = new Counting(instrumentation, settings.emitter(), log);
        Rules rules = Rules.read(settings, log);
        Names names = new Names(host(System.getenv()), app(settings.app(), command), settings.tags(), log);
        Weaving weaving = new Weaving(rules, names, counting, counting, log);
        weaving.preload();
        instrumentation.addTransformer(weaving, true);
        log.accept("agent " + version + " counts for " + settings.emitter() + ", with " + rules.size()
                + (rules.size() == 1 ? " rule" : " rules") + " beside @Count");
        if (attached) {
            LoadedClasses.revisit(instrumentation, weaving, counting, log);
        }
        new Report(weaving, counting, log).start();
    }

    /** The JDK's own programs, started under JAVA_TOOL_OPTIONS; but not a source file that java runs. */
    static boolean isTool(String command) {
        String main = command.substring(command.indexOf('/') < command.indexOf(' ') ? command.indexOf('/') + 1 : 0);
        return !main.startsWith("com.sun.tools.javac.launcher.")
                && (main.startsWith("com.sun.tools.")
                        || main.startsWith("sun.tools.")
                        || main.startsWith("sun.security.tools.")
                        || main.startsWith("jdk.tools.")
                        || main.startsWith("jdk.internal.")
                        || main.startsWith("jdk.jshell."));
    }

    /** What {@code {app}} stands for: the setting, or else the jar's name or the main class's. */
    static String app(String setting, String command) {
        if (!setting.isEmpty()) {
            return setting;
        }
        String main = command.split(" ", 2)[0];
        main = main.substring(Math.max(main.lastIndexOf('/'), main.lastIndexOf('\\')) + 1);
        main = main.endsWith(".jar")
                ? main.substring(0, main.length() - ".jar".length())
                : main.substring(main.lastIndexOf('.') + 1);
        return main.isEmpty() ? "app" : main;
    }

    /** What {@code {host}} stands for; asked of the environment and the kernel, never of a name server. */
    static String host(Map<String, String> environment) {
        String name = environment.get("HOSTNAME");
        if (name == null) {
            name = environment.get("COMPUTERNAME");
        }
        if (name == null) {
            try {
                byte[] kernels = Files.readAllBytes(Paths.get("/proc/sys/kernel/hostname"));
                name = new String(kernels, StandardCharsets.UTF_8);
            } catch (IOException noLinux) {
                name = "";
            }
        }
        return name.trim().isEmpty() ? "localhost" : name.trim();
    }

    static String version() throws IOException {
        try (InputStream in = Agent.class.getResourceAsStream("version")) {
            if (in == null) {
                return "of no version";
            }
            String line = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).readLine();
            return line == null ? "of no version" : line;
        }
    }
}
