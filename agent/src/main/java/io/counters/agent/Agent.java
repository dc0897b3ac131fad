package io.counters.agent;

import io.counters.agent.settings.Settings;
import io.counters.agent.weave.Rules;
import io.counters.agent.weave.Weaving;
import io.counters.wire.NameTemplates;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** Assembles the agent. {@link Premain} calls it once in a JVM. */
public final class Agent {
    /** System properties for {@link AttachCommand}: whether the agent started (true or false), and what it logged. */
    static final String STARTED = "io.counters.agent.started";

    static final String SAID = "io.counters.agent.said";

    private static final String PRESENT = "io.counters.agent";

    /** Set once the classes that were loaded before are instrumented. Until then the Spring Boot starter counts. */
    private static final String COUNTS = "io.counters.agent.counts";

    private Agent() {}

    /** Starts the agent before {@code main}, as the settings say; throws only with {@code strict=true}. */
    public static void premain(@Nullable String arguments, Instrumentation instrumentation) throws Throwable {
        enter(arguments, instrumentation, false);
    }

    /** The same, when classes of the application may already be loaded. */
    public static void agentmain(@Nullable String arguments, Instrumentation instrumentation) throws Throwable {
        enter(arguments, instrumentation, true);
    }

    /**
     * Runs with the agent's own permissions. Otherwise a security manager would restrict the threads that are created here
     * to the permissions of the class that the JVM called.
     */
    private static void enter(@Nullable String arguments, Instrumentation instrumentation, boolean attached)
            throws Throwable {
        Throwable wanted = AccessController.doPrivileged(new PrivilegedAction<@Nullable Throwable>() {
            @Override
            public @Nullable Throwable run() {
                return start(arguments, instrumentation, attached);
            }
        });
        if (wanted != null) {
            throw wanted;
        }
    }

    private static @Nullable Throwable start(
            @Nullable String arguments, Instrumentation instrumentation, boolean attached) {
        String command = System.getProperty("sun.java.command", "");
        if (!attached && isTool(command)) {
            return null;
        }
        Log log = new Log();
        Throwable failed = null;
        boolean started = false;
        boolean strict = false;
        try {
            Settings settings = Settings.read(arguments, System.getProperties(), System.getenv());
            strict = settings.strict();
            if (settings.log() != null) {
                log.to(settings.log());
            }
            for (String complaint : settings.complaints()) {
                log.accept(complaint);
            }
            if (settings.debug()) {
                for (String line : settings.effective()) {
                    log.accept(line);
                }
            }
            started = start(settings, log, command, instrumentation, attached);
            if (!settings.complaints().isEmpty()) {
                failed = new IllegalArgumentException(settings.complaints().get(0));
            }
        } catch (Throwable fault) {
            log.accept("the agent did not start; the application continues without it: " + fault);
            failed = fault;
        }
        if (attached) {
            System.setProperty(STARTED, String.valueOf(started));
            System.setProperty(SAID, log.said());
        }
        return strict ? failed : null;
    }

    private static boolean start(
            Settings settings, Log log, String command, Instrumentation instrumentation, boolean attached) {
        String version = version();
        if (!settings.enabled()) {
            log.accept("agent " + version + " is switched off; nothing is installed");
            return false;
        }
        String present = System.getProperty(PRESENT);
        if (present != null) {
            log.accept("agent " + version + " was not started: agent " + present + " is already in this JVM");
            return false;
        }
        System.setProperty(PRESENT, version);
        BridgeActivation counting = new BridgeActivation(instrumentation, settings.emitter(), settings.sends(), log);
        Rules rules = Rules.read(settings, log);
        NameTemplates names = new NameTemplates(
                NameTemplates.host(System.getenv()), app(settings.app(), command), settings.tags(), log);
        Weaving weaving = new Weaving(rules, names, counting, counting, log);
        weaving.preload();
        LoadedClasses loaded = new LoadedClasses(instrumentation, weaving, counting, log);
        String file = settings.file();
        LiveSettings live = file == null ? null : new LiveSettings(settings, file, weaving, loaded, log);
        AgentThread watch = new AgentThread(weaving, counting, loaded, live, log, System.nanoTime());
        // First: if the process cannot create this thread, no class may be instrumented, because nothing would be sent.
        watch.start();
        Runtime.getRuntime().addShutdownHook(watch.hook());
        new CheckpointWatch(instrumentation, counting, loaded, log).start(attached);
        List<Class<?>> early = attached ? Collections.<Class<?>>emptyList() : loaded.early();
        // The manifest of an executable jar may lack the capability; then only live settings do not work.
        instrumentation.addTransformer(weaving, instrumentation.isRetransformClassesSupported());
        log.accept("agent " + version
                + (settings.sends() ? " sends to " + settings.emitter() : " sends nothing (collector is none)")
                + "; rules besides @Count: " + rules.size());
        if (attached) {
            loaded.revisit();
        } else {
            loaded.catchUp(early);
        }
        System.setProperty(COUNTS, version);
        return true;
    }

    /** Whether it is one of the JDK's own tools, started under JAVA_TOOL_OPTIONS. A source file that java runs is not. */
    static boolean isTool(String command) {
        int end = command.indexOf(' ');
        String main = end < 0 ? command : command.substring(0, end);
        int slash = main.indexOf('/');
        boolean jdkModule = slash > 0
                && (main.startsWith("jdk.") || main.startsWith("java."))
                && !main.endsWith(".jar")
                && main.indexOf('/', slash + 1) < 0;
        String type = jdkModule ? main.substring(slash + 1) : main;
        return !type.startsWith("com.sun.tools.javac.launcher.")
                && (jdkModule
                        || type.startsWith("com.sun.tools.")
                        || type.startsWith("sun.tools.")
                        || type.startsWith("sun.security.tools.")
                        || type.startsWith("jdk.jshell."));
    }

    /** The Java version in these properties, such as 8 or 17; 8 if it cannot be read. */
    static int feature(Properties properties) {
        String version = properties.getProperty("java.specification.version", "8");
        try {
            return Integer.parseInt(version.startsWith("1.") ? version.substring(2) : version);
        } catch (NumberFormatException unheardOf) {
            return 8;
        }
    }

    /** The value of {@code {app}}: the setting if it is set, otherwise the name of the jar or of the main class. */
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

    /** The version of counters.jar. */
    static String version() {
        try (InputStream in = Agent.class.getResourceAsStream("version")) {
            return in == null ? "of unknown version" : new String(all(in), StandardCharsets.UTF_8).trim();
        } catch (IOException unreadable) {
            return "of unknown version";
        }
    }

    /** The remaining bytes of a stream. */
    static byte[] all(InputStream in) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(16384);
        byte[] part = new byte[8192];
        for (int read = in.read(part); read >= 0; read = in.read(part)) {
            bytes.write(part, 0, read);
        }
        return bytes.toByteArray();
    }
}
